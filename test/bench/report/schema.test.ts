import { expect, test } from 'vitest';
import { benchReportJsonSchema, benchReportSchema } from '../../../src/bench/report/schema.ts';
import { benchReport } from '../../support/bench-report.ts';

test('the shipped JSON schema is that of the code; `npx vitest run FILE -u` writes it anew', async () => {
  await expect(`${JSON.stringify(benchReportJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../../schemas/bench-report.schema.json');
});

test('a report comes back from the schema as it went in: no field is unknown to it', () => {
  const report = JSON.parse(JSON.stringify(benchReport()));
  expect(benchReportSchema.parse(report)).toEqual(report);
});
