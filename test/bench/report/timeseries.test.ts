import { expect, test } from 'vitest';
import { timeseries } from '../../../src/bench/report/timeseries.ts';
import { outcomeCode } from '../../../src/bench/checks/integrity.ts';
import type { Outcome } from '../../../src/campaign/outcome.ts';
import { LoadRecord } from '../../../src/bench/record/record.ts';

interface Asked {
  dueMs?: number;
  sentMs: number;
  /** Null: no reply. */
  doneMs: number | null;
  outcome?: Outcome;
}

function recordOf(requests: readonly Asked[]): LoadRecord {
  const { length } = requests;
  const record = new LoadRecord({
    length,
    user: new Uint32Array(length),
    coupon: new Uint16Array(length),
    requestId: new Uint32Array(length),
  });
  requests.forEach(({ dueMs, sentMs, doneMs, outcome = 'accepted' }, row) => {
    record.sent(row, (dueMs ?? sentMs) * 1_000, sentMs * 1_000);
    if (doneMs === null) record.lost(row);
    else record.replied(row, outcomeCode(outcome), 200, doneMs * 1_000);
  });
  return record;
}

test('requests count where they were sent, replies and their latency where they arrived', () => {
  const { stepSeconds, points } = timeseries(
    recordOf([
      { sentMs: 0, doneMs: 10 },
      { sentMs: 1, doneMs: 21 },
      { sentMs: 2, doneMs: 32 },
      { sentMs: 49, doneMs: 52, outcome: 'sold_out' },
      { sentMs: 60, doneMs: null },
    ]),
  );
  expect(stepSeconds).toBe(0.05);
  expect(points).toEqual([
    { second: 0, sent: 4, outcomes: { accepted: 3 }, latency: { accepted: { p50: 20, p99: 30 } } },
    { second: 0.05, sent: 1, outcomes: { sold_out: 1 }, latency: { sold_out: { p50: 3, p99: 3 } } },
  ]);
});

test('latency counts from when a request was due, not from when there was a connection for it', () => {
  const { points } = timeseries(recordOf([{ dueMs: 1, sentMs: 40, doneMs: 45 }]));
  expect(points[0]!.latency).toEqual({ accepted: { p50: 44, p99: 44 } });
});

test.each([
  [10, 0.05],
  [20, 0.1],
  [600, 5],
  [86_400, 300],
])('a run of %d s has steps of %d s', (seconds, step) => {
  const { stepSeconds, points } = timeseries(recordOf([{ sentMs: 0, doneMs: seconds * 1_000 }]));
  expect(stepSeconds).toBe(step);
  expect(points.length).toBeLessThanOrEqual(301);
  expect(points.at(-1)!.outcomes).toEqual({ accepted: 1 });
});

test('nothing sent is one empty step', () => {
  expect(timeseries(recordOf([]))).toEqual({ stepSeconds: 0.05, points: [{ second: 0, sent: 0, outcomes: {}, latency: {} }] });
});
