import { describe, expect, test } from 'vitest';
import { benchMarkdown } from '../../../src/bench/report/markdown.ts';
import type { BenchReport, Note, RequestCounts } from '../../../src/bench/report/report.ts';
import { requestLines, requestsOf, requestsText } from '../../../src/bench/report/requests.ts';
import { benchReport } from '../../support/bench-report.ts';
import { noOutcomes } from '../../../src/campaign/outcome.ts';

function report(requests: RequestCounts | null, notes: Note[] = []): BenchReport {
  const paper = benchReport();
  return { ...paper, ...(requests ? { requests } : {}), notes };
}

const CUT: RequestCounts = { planned: 15_000, sent: 5_012, answered: 4_990, unanswered: 22, dropped: 12, left: 9_976 };

describe('what became of the requests', () => {
  test.each<[string, Note['code'][], string]>([
    ['a signal', ['INTERRUPTED'], 'left when it was interrupted'],
    ['a lost target', ['TARGET_LOST'], 'left when the target was lost'],
    ['a threshold', ['ABORTED_BY_THRESHOLD'], 'left when a threshold ended the load'],
    ['the end of the phase', [], 'left when the time of the phase was over'],
  ])('is said with what ended the load: %s', (_, codes, words) => {
    const notes = codes.map((code): Note => ({ code, facts: { metric: 'm', expr: 'e', phase: 'p' } }));
    expect(requestLines(report(CUT, notes))).toEqual([
      ['planned', '15,000'],
      ['sent', '5,012: 4,990 answered, 22 without an answer'],
      ['not sent', `9,988: 12 came due and found no connection in time (dropped), 9,976 ${words}`],
    ]);
  });

  test('is short when all were sent and answered', () => {
    const all = report({ planned: 2_400, sent: 2_400, answered: 2_400, unanswered: 0, dropped: 0, left: 0 });
    expect(requestLines(all)).toEqual([
      ['planned', '2,400'],
      ['sent', '2,400: 2,400 answered'],
    ]);
    expect(requestsText(all)).toBe('2,400 requests');
    expect(benchMarkdown(all)).toContain('- planned: 2,400\n- sent: 2,400: 2,400 answered\n- answered: ');
  });

  test('heads the report', () => {
    expect(requestsText(report(CUT))).toBe('5,012 of 15,000 requests sent');
  });
});

test('a report of an earlier version gives what it has', () => {
  const paper = report(null, [{ code: 'ARRIVALS_DROPPED', facts: { dropped: 30, vus: 5 } }]);
  const outcomes = { ...noOutcomes(), accepted: 300, unknown: 50, unsent: 50 };
  expect(requestsOf({ ...paper, scenario: { ...paper.scenario, requests: 400 }, outcomes })).toEqual({
    planned: 400,
    sent: 350,
    answered: 300,
    unanswered: 50,
    dropped: 30,
    left: 20,
  });
});
