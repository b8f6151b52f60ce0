import { describe, expect, test } from 'vitest';
import { outcomeCode, type RequestRecord } from '../../../src/bench/checks/integrity.ts';
import type { IssueTimes } from '../../../src/bench/evidence/issue-times.ts';
import { flowOf, type Flow, type FlowSource } from '../../../src/bench/report/flow.ts';
import type { Outcome } from '../../../src/campaign/outcome.ts';

const ZERO = new Date('2026-11-22T10:00:00.000Z');

/** One request each: user, outcome, milliseconds of sending and of the reply (NaN: none). */
type Row = [user: number, outcome: Outcome, sentMs: number, doneMs: number, coupon?: number];

function recordOf(rows: Row[]): RequestRecord {
  const us = (of: (row: Row) => number): Float64Array => Float64Array.from(rows, (row) => 1_000 * of(row));
  return {
    length: rows.length,
    user: Uint32Array.from(rows, ([user]) => user),
    coupon: Uint16Array.from(rows, (row) => row[4] ?? 0),
    requestId: Uint32Array.from(rows.keys()),
    intendedUs: us(([, , sent]) => sent),
    sentUs: us(([, , sent]) => sent),
    doneUs: us(([, , , done]) => done),
    outcome: Uint8Array.from(rows, ([, outcome]) => outcomeCode(outcome)),
    status: new Uint16Array(rows.length),
  };
}

function issuedOf(times: [user: number, ms: number][], changes: Partial<IssueTimes> = {}): IssueTimes {
  return {
    user: Uint32Array.from(times, ([user]) => user),
    us: Float64Array.from(times, ([, ms]) => 1_000 * (ZERO.getTime() + ms)),
    stepUs: 1_000,
    untimed: 0,
    ...changes,
  };
}

function flow(rows: Row[], issued: IssueTimes | null, changes: Partial<FlowSource> = {}): Flow {
  const coupons = [{ couponId: 'c', total: 10, before: new Uint32Array(), issued }];
  return flowOf({ record: recordOf(rows), startedAt: ZERO, readUs: null, coupons, ...changes })!;
}

/** Accepted after 60, 110 and 160 ms; issued together after 400 ms, but for the first. */
const SALE: Row[] = [
  [1, 'accepted', 10, 60],
  [2, 'accepted', 10, 110],
  [3, 'accepted', 10, 160],
  [2, 'duplicate', 120, 130],
  [4, 'sold_out', 120, 170],
];
const ISSUED = issuedOf([
  [1, 200],
  [2, 400],
  [3, 400],
]);

test('counts who was accepted and who was issued by the end of each step', () => {
  const { stepSeconds, coupons, untold, clockBehindMs } = flow(SALE, ISSUED);
  expect({ stepSeconds, untold, clockBehindMs }).toEqual({ stepSeconds: 0.05, untold: 0, clockBehindMs: 0 });
  expect(coupons).toEqual([{ couponId: 'c', stock: 10, accepted: [0, 0, 1, 2, 3, 3, 3, 3, 3], issued: [0, 0, 0, 0, 1, 1, 1, 1, 3] }]);
});

test('knows the most who waited at once, and when, between two steps as well', () => {
  expect(flow(SALE, ISSUED).waiting).toEqual({ users: [0, 0, 1, 2, 2, 2, 2, 2, 0], most: 3, mostSecond: 0.16 });
});

test('a user whose coupon was there before the reply never waited', () => {
  const { coupons, waiting } = flow([[1, 'accepted', 10, 160]], issuedOf([[1, 60]]));
  expect(waiting).toMatchObject({ most: 0, users: [0, 0, 0, 0, 0] });
  expect(coupons[0]!.accepted).toEqual([0, 0, 1, 1, 1]);
});

test('a user whom no reply told counts from when the coupon was issued', () => {
  const { coupons, waiting, untold } = flow(
    [
      [1, 'accepted', 10, 60],
      [2, 'unknown', 10, Number.NaN],
    ],
    issuedOf([
      [1, 100],
      [2, 150],
    ]),
  );
  expect(untold).toBe(1);
  expect(coupons[0]!.accepted).toEqual([0, 0, 1, 2]);
  expect(waiting).toMatchObject({ most: 1, users: [0, 0, 0, 0] });
});

test('users from before are left out of the stock', () => {
  const coupons = [{ couponId: 'c', total: 10, before: Uint32Array.of(7, 8), issued: ISSUED }];
  expect(flow(SALE, ISSUED, { coupons }).coupons[0]!.stock).toBe(8);
});

test('waiting is that of all coupons together, the first six of which are told one by one', () => {
  const ids = Array.from({ length: 8 }, (_, coupon) => coupon);
  const coupons = ids.map((coupon) => ({
    couponId: `c${coupon}`,
    total: 1,
    before: new Uint32Array(),
    issued: issuedOf([[coupon, 300]]),
  }));
  const record = recordOf(ids.map((coupon): Row => [coupon, 'accepted', 0, 100, coupon]));
  const { waiting, coupons: told } = flow([], null, { record, coupons });
  expect(waiting).toMatchObject({ most: 8, mostSecond: 0.1 });
  expect(told.map(({ couponId }) => couponId)).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
});

describe('only what the record alone says is counted', () => {
  test.each<[string, IssueTimes | null, Partial<FlowSource>]>([
    ['without a list of issued coupons', null, {}],
    ['when a coupon of the list has no time', { ...ISSUED, untimed: 1 }, {}],
    ['when the times are whole seconds', { ...ISSUED, stepUs: 1_000_000 }, {}],
    ['when a coupon was issued long before its user asked: the clocks differ', issuedOf([[1, -3_600_000]]), {}],
    ['when a coupon was issued long after it was read: the clocks differ', issuedOf([[1, 3_600_000]]), { readUs: 1_000_000 }],
  ])('%s', (_, issued, changes) => {
    const { coupons, waiting } = flow(SALE, issued, changes);
    expect(waiting).toBeNull();
    expect(coupons).toEqual([{ couponId: 'c', stock: 10, accepted: [0, 0, 1, 2, 3], issued: null }]);
  });
});

test('a clock that is a little behind is told', () => {
  expect(flow(SALE, issuedOf([[1, -21]]))).toMatchObject({ clockBehindMs: 30, waiting: { most: 2 } });
});

test('there is nothing to count when the record does not say who asked when, or nothing was asked', () => {
  const coupons = [{ couponId: 'c', total: 10, before: new Uint32Array(), issued: null }];
  const source = { startedAt: ZERO, readUs: null, coupons };
  expect(flowOf({ ...source, record: recordOf([]) })).toBeNull();
  expect(flowOf({ ...source, record: { ...recordOf(SALE), lacks: ['users'] } })).toBeNull();
});
