import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderProof } from '../../../src/audit/reconcile/order.ts';
import { judgeUser, type RowView, type UserView } from '../../../src/audit/reconcile/user.ts';
import { judgeCoupon, judgeStock, type LedgerTotals, type RedisTotals } from '../../../src/audit/reconcile/coupon.ts';
import { adoptable, drift, type Drift } from '../../model/drift.ts';
import { hashOf, type Campaign, type LedgerEntry } from '../../model/state.ts';
import { excusedFindings, ledgerCounts, redisTotals, userView } from '../../model/views.ts';
import { disastrous, harmless, late, overPromised, totals, NAMES, type Command } from '../../model/history.ts';
import { modelPlayer, newWorld, NOW_MS, type World } from '../../model/world.ts';

const EPOCH = '00000000-0000-4000-8000-000000000001';
const SCORE = 1_700_000_000_000_001;
const LEASE = { claim: { score: SCORE, leaseMs: 30_000 }, leaseDeadlineMs: NOW_MS + 30_000 };
const LEDGER: LedgerTotals = {
  id: '42',
  name: 'Test',
  total: 5,
  opensAt: null,
  closesAt: null,
  expiry: { kind: 'never' },
  epoch: EPOCH,
  version: 1,
  maxFence: 0,
  mayBeMissing: null,
  returnedQuantity: 0,
  sharedStockField: null,
};
const COUNTS = { issuedQuantity: 0, returnedQuantity: 0, rows: 0, returned: 0, maxFence: 0 };
const REDIS = redisTotals(newWorld(5, EPOCH, 'server').campaign)!;
const histories = fc.oneof(harmless(100), late(60));

function play(world: World, history: readonly Command[], then: () => void = () => undefined): void {
  const step = modelPlayer();
  for (const command of history) {
    step(world, command);
    then();
  }
}

/** All findings of a quiet campaign. */
function judged(campaign: Campaign): string[] {
  const { redis, ledger } = campaign;
  const about = NAMES.flatMap((userId) =>
    judgeUser(userView(campaign, userId), ledger.rows.get(userId) ?? null, NOW_MS).findings.map(({ code }) => spelled({ code, userId })),
  );
  const order = new OrderProof();
  for (const row of ledger.rows.values()) {
    if (redis.admitted.get(row.userId)?.requestId) order.add(row.userId, row);
  }
  if (order.late().length > 0) about.push('served_out_of_order');
  const inRedis = redisTotals(campaign);
  const closesAt = ledger.closesAt === '' ? null : new Date(ledger.closesAt);
  const inLedger = { ...LEDGER, ...ledger, closesAt, sharedStockField: ledger.shared ? 'stock' : null };
  const found = judgeCoupon(inLedger, inRedis, ledgerCounts(campaign));
  const foreign = [...redis.waiting.keys()].filter((userId) => !redis.admitted.has(userId));
  if (inRedis) found.push(...judgeStock(inLedger, inRedis, foreign.length));
  return [...about, ...found.map(({ code }) => code)].toSorted();
}

function spelled({ code, userId }: Drift): string {
  return userId === null ? code : `${code} ${userId}`;
}

function rowOf(userId: string, requestedUs: number): LedgerEntry {
  const dates = { requestedAt: new Date(Math.floor(requestedUs / 1_000)), issuedAt: new Date(NOW_MS), expiresAt: null };
  return {
    userId,
    couponId: '42',
    requestedUs,
    ...dates,
    usedAt: null,
    revokedAt: null,
    worker: 'w',
    fence: 1,
    deliveries: 1,
    returned: false,
  };
}

const nobody: UserView = { admitted: null, waiting: null, leaseDeadlineMs: null, claim: null, dead: null, issued: null };
const admitted: UserView = { ...nobody, admitted: { score: SCORE, requestId: 'r' } };
const row = rowOf('u', SCORE);
const issued: UserView = { ...admitted, issued: hashOf(row) };
const codes = (user: UserView, ledgerRow: RowView | null = null) => judgeUser(user, ledgerRow, NOW_MS).findings.map((found) => found.code);

describe('reconcile', () => {
  it('finds nothing at any step of a history in which nothing is lost', () => {
    fc.assert(
      fc.property(histories, totals, (history, total) => {
        const world = newWorld(total, EPOCH, 'server');
        const { campaign } = world;
        const excused = excusedFindings(history);
        play(world, history, () => {
          for (const userId of NAMES) {
            const { findings } = judgeUser(userView(campaign, userId), campaign.ledger.rows.get(userId) ?? null, NOW_MS);
            expect(findings.filter(({ code }) => !excused.has(spelled({ code, userId })))).toEqual([]);
          }
          expect(judgeStock(LEDGER, redisTotals(campaign)!, adoptable(campaign).length)).toEqual([]);
          const { maxFence } = campaign.ledger;
          expect(judgeCoupon({ ...LEDGER, total, maxFence }, redisTotals(campaign), ledgerCounts(campaign))).toEqual([]);
        });
        const order = new OrderProof();
        for (const one of campaign.ledger.rows.values()) if (campaign.redis.admitted.get(one.userId)!.requestId) order.add(one.userId, one);
        expect(order.late()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('finds exactly what the reference model calls wrong, whatever was lost', () => {
    fc.assert(
      fc.property(fc.oneof(disastrous(100), overPromised(60)), totals, (history, total) => {
        const world = newWorld(total, EPOCH, 'server');
        play(world, history, () => expect(judged(world.campaign)).toEqual(drift(world.campaign, NOW_MS).map(spelled).toSorted()));
      }),
      { numRuns: 500 },
    );
  });

  it('finds nothing when the ledger is read any number of steps after Redis', () => {
    fc.assert(
      fc.property(histories, totals, fc.nat(), (history, total, pick) => {
        const world = newWorld(total, EPOCH, 'server');
        const half = pick % history.length;
        play(world, history.slice(0, half));
        const before = structuredClone(NAMES.map((userId) => [userId, userView(world.campaign, userId)] as const));
        play(world, history.slice(half));
        // Whoever Redis did not know at all cannot have come up in a walk over Redis. Of a user of whom there is only a key of another type
        // nothing is known either: that a row is new shows when such suspects are read again.
        const known = before.filter(([, view]) => Object.values({ ...view, occupied: null }).some((part) => part !== null));
        for (const [userId, view] of known) {
          const { findings } = judgeUser(view, world.campaign.ledger.rows.get(userId) ?? null, NOW_MS);
          expect(findings.filter(({ code }) => !excusedFindings(history).has(spelled({ code, userId })))).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, UserView, RowView | null, string[]]>([
    ['accepted and gone from the queue', admitted, null, ['lost']],
    ['claimed, and the lease was deleted', { ...admitted, claim: LEASE.claim }, null, ['claim_without_lease']],
    ['leased, and the claim was deleted', { ...admitted, leaseDeadlineMs: NOW_MS + 1 }, null, ['lease_without_claim']],
    ['leased for hours', { ...admitted, ...LEASE, leaseDeadlineMs: NOW_MS + 60_001 }, null, ['lease_absurd']],
    ['claimed, and the admission was deleted', { ...nobody, ...LEASE }, null, ['place_without_admission']],
    ['dead, and the admission was deleted', { ...nobody, dead: 'fault' }, null, ['place_without_admission']],
    ['in the ledger only', nobody, row, ['row_without_admission']],
    ['issued, and the admission was deleted', { ...issued, admitted: null }, row, ['row_without_admission']],
    ['issued, and the hash was deleted', admitted, row, ['hash_missing']],
    ['issued, and the row was deleted', issued, null, ['lost', 'hash_only']],
    ['a hash out of nowhere', { ...nobody, issued: hashOf(row) }, null, ['hash_only']],
    ['a hash of somebody who waits', { ...issued, waiting: SCORE }, null, ['hash_only']],
    ['a hash with another expiry', { ...issued, issued: { ...hashOf(row), ex_date: '2030-01-01T00:00:00.000Z' } }, row, ['hash_mismatch']],
    [
      'a hash that is used where the ledger is not',
      { ...issued, issued: { ...hashOf(row), used_at: '2026-11-25' } },
      row,
      ['hash_mismatch'],
    ],
    ['a hash with a use that is written as none', { ...issued, issued: { ...hashOf(row), used_at: 'null' } }, row, ['hash_mismatch']],
    ['a hash with a use that is no time', { ...issued, issued: { ...hashOf(row), used_at: 'x' } }, row, ['hash_unreadable_time']],
    ['a hash with an expiry that is no time', { ...issued, issued: { ...hashOf(row), ex_date: 'soon' } }, row, ['hash_unreadable_time']],
    [
      'a hash that is revoked where the ledger is not',
      { ...issued, issued: { ...hashOf(row), revoked_at: '2026-11-25' } },
      row,
      ['hash_mismatch'],
    ],
    ['dead and issued', { ...issued, dead: 'fault' }, row, ['dead_but_issued']],
    ['moved ahead in the queue', { ...admitted, waiting: SCORE - 5 }, null, ['request_time_mismatch']],
    [
      'in the ledger with another request time',
      { ...issued, issued: hashOf(rowOf('u', SCORE + 1)) },
      rowOf('u', SCORE + 1),
      ['request_time_mismatch'],
    ],
  ])('names %s', (_name, user, ledgerRow, expected) => {
    expect(codes(user, ledgerRow)).toEqual(expected);
  });

  it('takes a user between commit and ack for in flight, not for a finding', () => {
    for (const user of [
      { ...admitted, ...LEASE },
      { ...admitted, waiting: SCORE, claim: LEASE.claim },
    ]) {
      expect(judgeUser(user, row, NOW_MS)).toEqual({ place: 'issued', inFlight: true, adoptable: false, findings: [] });
    }
  });

  it('takes a member that another service queued for adoptable, and an expired lease for nothing special', () => {
    expect(judgeUser({ ...nobody, waiting: SCORE }, null, NOW_MS)).toMatchObject({ place: 'waiting', adoptable: true, findings: [] });
    expect(codes({ ...admitted, ...LEASE, leaseDeadlineMs: 1 })).toEqual([]);
  });

  it.each<[string, Partial<LedgerTotals>, Partial<RedisTotals>, string[]]>([
    ['a suspect coupon', {}, { suspect: 'fence' }, ['suspect']],
    ['another life of the coupon', {}, { epoch: 'other' }, ['epoch_mismatch']],
    ['a ledger that has less than was acknowledged', {}, { acked: 4 }, ['ledger_behind']],
    ['older settings', { version: 2 }, {}, ['version_mismatch']],
    ['a fence below the one that reached the ledger', { maxFence: 7 }, {}, ['redis_behind']],
    ['another total', {}, { total: 6 }, ['total_mismatch']],
    ['another name', {}, { name: 'Other' }, ['settings_mismatch']],
    ['another expiry', { expiry: { kind: 'after', ms: 86_400_000 } }, { validFor: '2d' }, ['settings_mismatch']],
  ])('names %s', (_name, ledger, redis, expected) => {
    const found = judgeCoupon({ ...LEDGER, ...ledger }, { ...REDIS, ...redis }, { ...COUNTS, maxFence: 3 });
    expect(found.map((one) => one.code)).toEqual(expected);
  });

  it('names a coupon that Redis does not have, and a ledger that counts wrong or too much', () => {
    const found = (redis: boolean, issuedQuantity: number, rows: number, returned = {}) =>
      judgeCoupon(LEDGER, redis ? REDIS : null, { ...COUNTS, issuedQuantity, rows, ...returned }).map((one) => one.code);
    expect(found(false, 0, 0)).toEqual(['coupon_missing']);
    expect(found(true, 2, 3)).toEqual(['issued_quantity_mismatch']);
    expect(found(true, 6, 6)).toEqual(['over_issued']);
    // What went back into the stock does not count.
    expect(found(true, 5, 6, { returned: 1, returnedQuantity: 1 })).toEqual([]);
    expect(found(true, 5, 6, { returned: 1, returnedQuantity: 2 })).toEqual(['issued_quantity_mismatch']);
    expect(found(true, 6, 7, { returned: 1, returnedQuantity: 1 })).toEqual(['over_issued']);
  });

  it('holds the stock against the users who were accepted, those of other services included', () => {
    const redis = { ...REDIS, admitted: 2, stock: 3 };
    const found = (change: object, foreign = 0) => judgeStock(LEDGER, { ...redis, ...change }, foreign).map((one) => one.code);
    expect(found({})).toEqual([]);
    expect(found({ stock: 4 })).toEqual(['stock_mismatch']);
    expect(found({ stock: null })).toEqual(['stock_missing']);
    expect(found({}, 1)).toEqual(['stock_mismatch']);
    expect(found({ stock: 2 }, 1)).toEqual([]);
    expect(found({ admitted: 6, stock: -1 })).toEqual(['over_admitted']);
    expect(found({ returned: 1, stock: 4 })).toEqual([]);
  });
});

describe('the order proof', () => {
  const at = (fence: number, requestedUs: number, deliveries = 1) => ({ fence, requestedUs, deliveries });

  it('names whoever was claimed in a later turn than a user who asked later', () => {
    const order = new OrderProof();
    order.add('early', at(2, 10));
    order.add('late', at(1, 20));
    expect(order.late()).toEqual(['early']);
  });

  it('leaves out users who were claimed again, and those of other services', () => {
    const order = new OrderProof();
    order.add('late', at(1, 20));
    order.add('again', at(2, 10, 2));
    expect(order.late()).toEqual([]);
  });

  it('with any bound on its memory never names anybody in an orderly history, and still sees a wide inversion', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 60, max: 200 }), (maxTurns, users) => {
        const order = new OrderProof(maxTurns);
        for (let i = 0; i < users; i++) order.add(`u${i}`, at(i, i));
        expect(order.late()).toEqual([]);
        order.add('first', at(users * 4, -1));
        expect(order.late()).toEqual(['first']);
      }),
    );
  });
});
