/** What the checker says when only a part of the evidence was there to be read. */
import { describe, expect, test } from 'vitest';
import { checkIntegrity } from '../../../src/bench/checks/checker.ts';
import type { CheckResult, CouponEvidence, RedisEvidence } from '../../../src/bench/checks/integrity.ts';
import { correctRun, evidenceOf, recordOf, rush, type Run } from './bench-model.ts';

const ALL = { ledger: true, hashes: true, stock: true };
type Part = Omit<Partial<CouponEvidence>, 'redis'> & { redis?: Partial<RedisEvidence> | null };

/** A sale of 30 pieces to 100 users, of which only this is seen. */
function seen(change: (evidence: CouponEvidence) => Part, plant: (run: Run) => void = () => undefined): CheckResult[] {
  const run = correctRun(30, 100, rush(100));
  plant(run);
  const whole = evidenceOf(run);
  const { redis, ...part } = change(whole);
  const inRedis = redis === undefined ? whole.redis : redis && { ...whole.redis!, ...redis };
  return checkIntegrity(recordOf(run), [{ ...whole, ...part, redis: inRedis }], run.users);
}

const remarks = (results: CheckResult[]): string[] =>
  results.filter((one) => one.status !== 'pass' && one.status !== 'not_exercised').map((one) => `${one.check} ${one.status} ${one.reason}`);

const lose = (run: Run): void => {
  run.rows.splice(7, 1);
  run.hashes.splice(7, 1);
  run.issuedQuantity -= 1;
};

describe('a list of pieces alone', () => {
  const list = () => ({ consulted: { ledger: true, hashes: false, stock: false }, redis: null });

  test('proves all but the stock', () => expect(remarks(seen(list))).toEqual(['stock_adds_up not_checked NO_STOCK_EVIDENCE']));

  test('shows who was lost', () => expect(remarks(seen(list, lose))).toContain('accepted_are_issued fail ACCEPTED_NOT_ISSUED'));

  test('that could not be read is a gap', () =>
    expect(remarks(seen(() => ({ ...list(), ledger: null })))).toContain('accepted_are_issued not_checked NO_LEDGER_EVIDENCE'));
});

describe('issued keys alone', () => {
  const keys = () => ({ consulted: { ledger: false, hashes: true, stock: true }, ledger: null });

  test('prove all but the order', () => expect(remarks(seen(keys))).toEqual(['first_come_first_served not_checked NO_REQUEST_TIMES']));

  test('show who was lost, and what leaked', () => {
    expect(remarks(seen(keys, lose))).toContain('accepted_are_issued fail ACCEPTED_NOT_ISSUED');
    const leaked = seen(keys, (run) => {
      const gone = run.hashes.pop()!;
      run.rows.pop();
      run.requests.find((one) => one.user === gone)!.outcome = 'sold_out';
    });
    expect(remarks(leaked)).toContain('sold_out_when_gone fail SOLD_OUT_TOO_EARLY');
  });
});

describe('users who are out of sight between queue and piece', () => {
  const moving = () => ({ consulted: ALL, settled: false, redis: { spent: null } });

  test('are not called lost, nor is the stock called wrong', () => {
    expect(remarks(seen(moving, lose))).toEqual([
      'issued_within_total not_checked NOT_SETTLED',
      'accepted_are_issued not_checked NOT_SETTLED',
      'stock_adds_up not_checked NOT_SETTLED',
    ]);
  });

  test('stock below zero is wrong whoever is on the way', () => {
    expect(remarks(seen(() => ({ ...moving(), redis: { spent: null, stock: -3 } })))).toContain('stock_adds_up fail STOCK_BELOW_ZERO');
  });
});

test('the replies alone prove nothing, and still show a second acceptance', () => {
  const replies = () => ({ consulted: { ledger: false, hashes: false, stock: false }, ledger: null, redis: null });
  expect(remarks(seen(replies))).toEqual([
    'issued_within_total not_checked REPLIES_ONLY',
    'one_per_user not_checked REPLIES_ONLY',
    'accepted_are_issued not_checked REPLIES_ONLY',
    'issued_were_accepted not_checked REPLIES_ONLY',
    'sold_out_when_gone not_checked REPLIES_ONLY',
    'first_come_first_served not_checked REPLIES_ONLY',
    'stock_adds_up not_checked NO_STOCK_EVIDENCE',
  ]);
  const twice = seen(replies, (run) => run.requests.push({ user: 3, sentUs: 9_000, doneUs: 9_100, outcome: 'accepted', requestId: 999 }));
  expect(remarks(twice)).toContain('one_per_user fail ACCEPTED_TWICE');
});
