import { expect, test } from 'vitest';
import type { BenchReport } from '../../../src/bench/report/report.ts';
import { compareStrategies } from '../../../src/bench/compare/strategies.ts';
import type { CheckResult } from '../../../src/bench/checks/integrity.ts';
import type { Strategy } from '../../../src/campaign/strategy.ts';
import { strategyTable } from '../../../src/bench/compare/strategy-table.ts';
import { painter } from '../../../src/lib/text/style.ts';

const check = (name: CheckResult['check'], changes: Partial<CheckResult> = {}): CheckResult => ({
  check: name,
  couponId: 'c',
  status: 'pass',
  reason: null,
  count: 0,
  sample: [],
  facts: {},
  ...changes,
});

/** As much of a report as the comparison reads. */
function report(strategy: Strategy | null, coupon: object, integrity: CheckResult[], verdict = 'pass'): BenchReport {
  return {
    scenario: { name: 'rush', strategy },
    latency: { accepted: { p50: 3.21, p90: 5, p99: 1_234.5, p999: 9, max: 9 } },
    throughput: { requestsPerSecond: 1_168.4, acceptsPerSecond: null },
    coupons: [{ couponId: 'c', total: 1_000, dead: 0, ...coupon }],
    integrity,
    verdict: { integrity: verdict },
  } as unknown as BenchReport;
}

const CHECKS = [check('issued_within_total'), check('one_per_user'), check('accepted_are_issued'), check('sold_out_when_gone')];
const old = report('rdb-lock', { issued: 990, stock: 1_000 }, CHECKS);
const literal = report(
  'three-calls',
  { issued: 950, stock: -9_000 },
  [
    check('issued_within_total', { status: 'fail', reason: 'LEDGER_OVER_TOTAL', count: 2 }),
    check('one_per_user', { status: 'fail', reason: 'ACCEPTED_TWICE', count: 40 }),
    check('accepted_are_issued', { status: 'fail', reason: 'ACCEPTED_NOT_ISSUED', count: 3 }),
    check('sold_out_when_gone', { status: 'fail', reason: 'SOLD_OUT_TOO_EARLY', count: 700 }),
  ],
  'fail',
);

test('what a check counted is told; what leaked is what nobody has in the end', () => {
  expect(compareStrategies([literal])).toEqual([
    {
      strategy: 'three-calls',
      scenario: 'rush',
      acceptedP50Ms: 3.21,
      acceptedP99Ms: 1_234.5,
      answeredPerSecond: 1_168.4,
      acceptedPerSecond: null,
      overIssued: 2,
      acceptedTwice: 40,
      leaked: 50,
      lost: 3,
      stock: -9_000,
      verdict: 'fail',
    },
  ]);
});

test('pieces that are left are no leak where the check passed; the row lock counts in the ledger', () => {
  expect(compareStrategies([old])).toMatchObject([{ leaked: 0, lost: 0, overIssued: 0, acceptedTwice: 0, stock: 10 }]);
});

test('what was not checked is not known', () => {
  const unmade = CHECKS.map((result) => ({ ...result, status: 'not_checked' as const }));
  const [row] = compareStrategies([report('atomic', { issued: null, stock: null }, unmade, 'inconclusive')]);
  expect(row).toMatchObject({ leaked: null, lost: null, overIssued: null, acceptedTwice: null, stock: null });
});

test('a report of somebody else’s endpoint is not compared', () => {
  expect(compareStrategies([report(null, { issued: 1, stock: 0 }, CHECKS)])).toEqual([]);
});

test('the table has a line for each strategy, and says what they are', () => {
  expect(strategyTable([old, literal], painter(false))).toMatchInlineSnapshot(`
    "STRATEGY     ACCEPTED P50       P99  ANSWERED  ACCEPTED  OVER-ISSUED  TWICE  LEAKED  LOST  STOCK LEFT  VERDICT
    rdb-lock           3.2 ms  1,235 ms   1,168/s         –            0      0       0     0          10  ✔ proven
    three-calls        3.2 ms  1,235 ms   1,168/s         –            2     40      50     3      -9,000  ✘ BROKEN

      rdb-lock     before Redis: every request locks the coupon’s row in PostgreSQL; the accepted are issued at once
      three-calls  three separate commands: EXISTS, HINCRBY, ZADD NX, one after the other"
  `);
});
