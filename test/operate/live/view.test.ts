import { describe, expect, it } from 'vitest';
import { HISTORY } from '../../../src/operate/live/history.ts';
import type { Reading } from '../../../src/operate/live/reading.ts';
import { reading, START, viewAfter, type Given } from './readings.ts';

const series = (count: number, at: (second: number) => Given): Reading[] =>
  Array.from({ length: count }, (_, second) => reading(second, [at(second)]));

describe('rates', () => {
  it('need two readings', () => {
    const [coupon] = viewAfter([reading(0, [{ id: 'a', admitted: 5 }])]).coupons;
    expect(coupon).toMatchObject({ acceptedPerSecond: null, issuedPerSecond: null, history: { accepted: [], issued: [] } });
  });

  it('are those of the last ten seconds, however often is looked', () => {
    const burst = series(31, (second) => ({ id: 'a', admitted: second < 20 ? 1_000 * second : 19_000 + 10 * (second - 19) }));
    expect(viewAfter(burst).coupons[0]).toMatchObject({ acceptedPerSecond: 10 });
    const slow = [0, 60].map((second) => reading(second, [{ id: 'a', admitted: 30 * second }]));
    expect(viewAfter(slow).coupons[0]).toMatchObject({ acceptedPerSecond: 30 });
  });

  it('count a revoked coupon that went back into the stock as issued once', () => {
    const view = viewAfter([reading(0, [{ id: 'a', issued: 10 }]), reading(1, [{ id: 'a', issued: 15, ledger: { returnedQuantity: 5 } }])]);
    expect(view.coupons[0]).toMatchObject({ issuedPerSecond: 10 });
  });

  it('begin anew with another life of the coupon, and are never negative', () => {
    const reset = viewAfter([reading(0, [{ id: 'a', admitted: 500 }]), reading(1, [{ id: 'a', admitted: 3, ledger: { epoch: 'f' } }])]);
    expect(reset.coupons[0]).toMatchObject({ acceptedPerSecond: null, history: { accepted: [] } });
    const dropped = viewAfter([reading(0, [{ id: 'a', admitted: 500 }]), reading(1, [{ id: 'a', admitted: 490 }])]);
    expect(dropped.coupons[0]).toMatchObject({ acceptedPerSecond: 0 });
  });

  it('say how long the queue takes', () => {
    const view = viewAfter([
      reading(0, [{ id: 'a', waiting: 110, issued: 0 }]),
      reading(1, [{ id: 'a', waiting: 90, claimed: 10, issued: 10 }]),
    ]);
    expect(view.coupons[0]).toMatchObject({ timeLeftMs: 10_000 });
    expect(viewAfter([reading(0, [{ id: 'a' }])]).coupons[0]).toMatchObject({ timeLeftMs: 0 });
  });

  it('are kept as a history of bounded length', () => {
    const { history } = viewAfter(series(HISTORY + 40, (second) => ({ id: 'a', admitted: second * second }))).coupons[0]!;
    expect(history.accepted).toHaveLength(HISTORY);
    expect(history.accepted.at(-1)).toBe((HISTORY + 39) ** 2 - (HISTORY + 38) ** 2);
  });
});

describe('a store that goes away', () => {
  const before = reading(0, [{ id: 'a', admitted: 100, waiting: 40, issued: 60 }]);
  const away = (seconds: number): Reading => ({ ...reading(seconds, [{ id: 'a', issued: 60 }]), redis: { problem: 'no answer' } });

  it('is told with the age of its figures, which stay', () => {
    const view = viewAfter([before, away(1), away(4)]);
    expect(view.stores).toEqual({
      redis: { up: false, problem: 'no answer', silentMs: 4_000 },
      ledger: { up: true, problem: null, silentMs: null },
    });
    expect(view.coupons[0]).toMatchObject({ waiting: 40, acceptedPerSecond: null, state: 'open' });
  });

  it('leaves a gap in the history, and no rate across it', () => {
    const back = [2, 3].map((second) => reading(second, [{ id: 'a', admitted: 100 + 100 * second, issued: 60 }]));
    const view = viewAfter([before, away(1), ...back]);
    expect(view.stores.redis.up).toBe(true);
    expect(view.coupons[0]).toMatchObject({ acceptedPerSecond: 100, history: { accepted: [null, null, 100] } });
  });
});

describe('states', () => {
  const stateOf = (given: Partial<Given>): string => viewAfter([reading(0, [{ id: 'a', ...given }])]).coupons[0]!.state;
  const soon = new Date(START + 1_000);
  const past = new Date(START - 1_000);

  it.each<[string, Partial<Given>]>([
    ['open', {}],
    ['scheduled', { ledger: { opensAt: soon } }],
    ['ended', { ledger: { closesAt: past } }],
    ['ended', { state: 'paused', ledger: { closesAt: past } }],
    ['paused', { state: 'paused', stock: 0 }],
    ['sold_out', { stock: 0 }],
    ['closed', { state: 'closed', stock: 0, ledger: { closesAt: past } }],
    ['suspect', { suspect: 'fence', state: 'closed' }],
    ['unreadable_time', { opensAt: 'tomorrow' }],
    ['unreadable_time', { closesAt: 'never', stock: 0 }],
    ['paused', { closesAt: 'never', state: 'paused' }],
    ['missing_in_redis', { inRedis: false }],
    ['missing_in_ledger', { inLedger: false }],
    ['wrong_type', { wrongType: { key: 'coupon:a', found: 'list', expected: 'hash' } }],
    ['seeding', { ledger: { state: 'seeding' } }],
  ])('%s: %j', (state, given) => expect(stateOf(given)).toBe(state));

  it('an id that neither store has as a coupon is not shown', () => {
    expect(viewAfter([reading(0, [{ id: 'a', inLedger: false, inRedis: false }])]).coupons).toEqual([]);
  });
});

describe('warnings', () => {
  const codes = (readings: readonly Reading[]): string[] => viewAfter(readings).warnings.map(({ code }) => code);

  it.each<[string, Partial<Given>]>([
    ['suspect', { suspect: 'fence' }],
    ['missing_in_redis', { inRedis: false }],
    ['wrong_type', { wrongType: { key: 'coupon:a', found: 'list', expected: 'hash' } }],
    ['may_be_missing', { ledger: { mayBeMissing: 3 } }],
    ['unreadable_time', { closesAt: 'never' }],
    ['dead', { dead: 1 }],
  ])('%s: %j', (code, given) => expect(codes([reading(0, [{ id: 'a', ...given }])])).toEqual([code]));

  it('of a queue that nobody drains come only once it was watched for a while', () => {
    const still = series(16, () => ({ id: 'a', waiting: 5, oldestMs: 60_000 }));
    expect(codes(still)).toEqual(['not_draining']);
    expect(codes(still.slice(0, 15))).toEqual([]);
    expect(codes(series(16, () => ({ id: 'a', waiting: 5, oldestMs: 2_000 })))).toEqual([]);
    expect(codes(series(16, (second) => ({ id: 'a', waiting: 5, oldestMs: 60_000, issued: second })))).toEqual([]);
  });

  it('name the worker whose lease is over', () => {
    const leases = [{ worker: 'w', fence: 1, users: 7, deadlineMs: START - 3_000 }];
    const [warning] = viewAfter([reading(0, [{ id: 'a', claimed: 7, leases }])]).warnings;
    expect(warning).toMatchObject({ code: 'lease_over', text: 'worker w let the lease of 7 users run out' });
  });
});

describe('workers', () => {
  const lease = (worker: string, users: number, inMs: number) => ({ worker, fence: 1, users, deadlineMs: START + inMs });

  it('are those that hold users or have issued some in the last minute', () => {
    const coupons = [
      { id: 'a', leases: [lease('w1', 100, 5_000), lease('w1', 40, 9_000)] },
      { id: 'b', leases: [lease('w1', 1, 7_000)] },
    ];
    const issued = [{ worker: 'w2', issued: 10, lastAt: new Date(START - 4_000) }];
    expect(viewAfter([reading(0, coupons, issued)]).workers).toEqual([
      { worker: 'w1', users: 141, claims: 3, coupons: ['a', 'b'], leaseLeftMs: 5_000, lastIssuedMs: null },
      { worker: 'w2', users: 0, claims: 0, coupons: [], leaseLeftMs: null, lastIssuedMs: 4_000 },
    ]);
  });

  it('are remembered for a minute between their batches', () => {
    const held = reading(0, [{ id: 'a', leases: [lease('w', 5, 9_000)] }]);
    const after = (seconds: number) => viewAfter([held, reading(seconds, [{ id: 'a' }])]).workers.map(({ worker }) => worker);
    expect([after(60), after(61)]).toEqual([['w'], []]);
  });
});

it('order: what needs a person, what moves, what is open, what is to come, what is over', () => {
  const view = viewAfter([
    reading(0, [
      { id: 'a-closed', state: 'closed' },
      { id: 'b-scheduled', ledger: { opensAt: new Date(START + 1) } },
      { id: 'c-open' },
      { id: 'd-moves', waiting: 3 },
      { id: 'e-suspect', suspect: 'fence' },
      { id: 'f-dead-only', dead: 1, state: 'closed' },
    ]),
  ]);
  expect(view.coupons.map(({ couponId }) => couponId)).toEqual([
    'e-suspect',
    'd-moves',
    'c-open',
    'b-scheduled',
    'a-closed',
    'f-dead-only',
  ]);
});
