import { describe, expect, test } from 'vitest';
import { disruptionNote, disruptionsOf } from '../../../src/bench/report/disruptions.ts';
import type { DisruptionEvent } from '../../../src/bench/report/report.ts';
import { marksOf } from '../../../src/bench/report/html/chart.ts';
import { benchMarkdown } from '../../../src/bench/report/markdown.ts';
import { benchReportSchema } from '../../../src/bench/report/schema.ts';
import { benchSummary } from '../../../src/bench/report/summary.ts';
import { painter } from '../../../src/lib/text/style.ts';
import { benchReport } from '../../support/bench-report.ts';

const DAY: DisruptionEvent[] = [
  { action: 'kill-serve', second: 4.003, tookSeconds: 1.624 },
  { action: 'restart-redis', second: 8, tookSeconds: null, why: 'it did not come back' },
];

const paper = benchReport({ disruptions: DAY });
const report = { ...paper, notes: [...paper.notes, ...DAY.map(disruptionNote)] };
const older = { ...report };
delete older.disruptions;

describe.each([
  ['a report', report],
  ['a report of an earlier version, which has notes alone', older],
])('%s', (_, one) => {
  test('lists each disruption once', () => {
    for (const text of [benchSummary(one, painter(false)), benchMarkdown(one)]) {
      expect(text.match(/serve killed/g)).toHaveLength(1);
      expect(text).toContain('at 4 s: serve killed, back after 1.62 s');
      expect(text).toContain('at 8 s: Redis crashed, not back: it did not come back');
      expect(text).not.toContain('kill-serve');
    }
  });

  test('marks each in the charts, until the service was back', () => {
    expect(marksOf(one)).toEqual([
      { from: 4.003, until: 5.627, label: 'serve killed, back after 1.62 s' },
      { from: 8, until: 8, label: 'Redis crashed, not back: it did not come back' },
    ]);
  });

  test('is held by the schema', () => {
    expect(benchReportSchema.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
  });
});

test('notes of an action that this version does not know are not taken for one', () => {
  expect(disruptionsOf({ notes: [{ code: 'DISRUPTED', facts: { action: 'unplug', second: 1, took: 2 } }] })).toEqual([]);
});
