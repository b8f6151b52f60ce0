import { expect, test } from 'vitest';
import { EXAMPLE_EVENT, eventJsonSchema, parseEvent } from '../../src/campaign/event.ts';

test('the schema that editors read is the one that event files are held against (-u writes it)', async () => {
  await expect(`${JSON.stringify(eventJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../schemas/event.schema.json');
});

test('the example is a valid event file, with every field of the schema', () => {
  expect(parseEvent(EXAMPLE_EVENT, 'event.yaml')).toMatchObject([{ id: 'summer', total: 1_000 }, { id: 'winter' }]);
  const { properties } = eventJsonSchema() as { properties: { coupons: { items: { properties: object } } } };
  const fields = Object.keys(properties.coupons.items.properties).filter((field) => !['state', 'stock'].includes(field));
  expect(fields.filter((field) => !EXAMPLE_EVENT.includes(`${field}: `))).toEqual([]);
});
