import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scenarioJsonSchema } from '../../../src/bench/scenario/schema.ts';

const shipped = readdirSync('scenarios').filter((file) => file.endsWith('.yaml') && !file.endsWith('.example.yaml'));

test('the schema that editors read is the one that scenarios are held against (-u writes it)', async () => {
  await expect(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../../scenarios/schema.json');
});

test('it knows every setting, and refuses others', () => {
  const { properties, additionalProperties } = scenarioJsonSchema() as {
    properties: Record<string, unknown>;
    additionalProperties: boolean;
  };
  expect(Object.keys(properties)).toEqual(
    expect.arrayContaining(['version', 'coupons', 'users', 'phases', 'thresholds', 'outcomes', 'verify']),
  );
  expect(additionalProperties).toBe(false);
});

test.each(shipped)('%s tells editors where it is', (file) => {
  expect(readFileSync(`scenarios/${file}`, 'utf8')).toMatch(/^# yaml-language-server: \$schema=\.\/schema\.json\n/);
});
