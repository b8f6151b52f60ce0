import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderProof } from '../../src/core/order-proof.ts';
import { judgeUser, type RowView, type UserView } from '../../src/core/reconcile.ts';
import { judgeCoupon, judgeStock, type LedgerTotals } from '../../src/core/reconcile-coupon.ts';
import { CampaignModel, EPOCH, hashOf, NOW_MS, rowOf, STEPS } from '../support/campaign-model.ts';

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
};
const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')), {
  size: 'max',
  maxLength: 120,
});
const nobody: UserView = { admitted: null, waiting: null, leaseDeadlineMs: null, claim: null, dead: null, issued: null };
const admitted: UserView = { ...nobody, admitted: { score: SCORE, requestId: 'r' } };
const row = rowOf('u', SCORE);
const issued: UserView = { ...admitted, issued: hashOf(row) };
const codes = (user: UserView, ledgerRow: RowView | null = null) => judgeUser(user, ledgerRow, NOW_MS).findings.map((found) => found.code);

describe('reconcile', () => {
  it('finds nothing after any sequence of legal steps', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const model = new CampaignModel();
        const order = new OrderProof();
        for (const [step, userId] of sequence) {
          model.apply(step, userId);
          for (const user of model.users.values()) expect(judgeUser(user.view, user.row, NOW_MS).findings).toEqual([]);
          expect(judgeStock(model.totals(), model.adoptable())).toEqual([]);
          expect(judgeCoupon({ ...LEDGER, maxFence: model.fence }, model.totals(), model.counts())).toEqual([]);
        }
        for (const [userId, user] of model.users) if (user.row && user.view.admitted!.requestId) order.add(userId, user.row);
        expect(order.late()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('finds nothing when the ledger is read any number of steps after Redis', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (sequence, pick) => {
        const model = new CampaignModel();
        const half = sequence.length === 0 ? 0 : pick % sequence.length;
        for (const [step, userId] of sequence.slice(0, half)) model.apply(step, userId);
        const before = new Map([...model.users].map(([userId, user]) => [userId, { ...user.view }]));
        for (const [step, userId] of sequence.slice(half)) model.apply(step, userId);
        // Whoever Redis did not know at all cannot have come up in a walk over Redis.
        const known = [...before].filter(([, view]) => Object.values(view).some((part) => part !== null));
        for (const [userId, view] of known) expect(judgeUser(view, model.user(userId).row, NOW_MS).findings).toEqual([]);
      }),
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
    ['a hash that is used where the ledger is not', { ...issued, issued: { ...hashOf(row), used_at: 'x' } }, row, ['hash_mismatch']],
    ['a hash that is revoked where the ledger is not', { ...issued, issued: { ...hashOf(row), revoked_at: 'x' } }, row, ['hash_mismatch']],
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

  it.each<[string, Partial<LedgerTotals>, Partial<ReturnType<CampaignModel['totals']>>, string[]]>([
    ['a suspect coupon', {}, { suspect: 'fence' }, ['suspect']],
    ['another life of the coupon', {}, { epoch: 'other' }, ['epoch_mismatch']],
    ['older settings', { version: 2 }, {}, ['version_mismatch']],
    ['a claim number below the one that reached the ledger', { maxFence: 7 }, {}, ['redis_behind']],
    ['another total', {}, { total: 6 }, ['total_mismatch']],
    ['another name', {}, { name: 'Other' }, ['settings_mismatch']],
    ['another expiry', { expiry: { kind: 'after', ms: 86_400_000 } }, { validFor: '2d' }, ['settings_mismatch']],
  ])('names %s', (_name, ledger, redis, expected) => {
    const found = judgeCoupon({ ...LEDGER, ...ledger }, { ...new CampaignModel().totals(), ...redis }, { issuedQuantity: 0, rows: 0 });
    expect(found.map((one) => one.code)).toEqual(expected);
  });

  it('names a coupon that Redis does not have, and a ledger that counts wrong or too much', () => {
    const found = (redis: boolean, issuedQuantity: number, rows: number) =>
      judgeCoupon(LEDGER, redis ? new CampaignModel().totals() : null, { issuedQuantity, rows }).map((one) => one.code);
    expect(found(false, 0, 0)).toEqual(['coupon_missing']);
    expect(found(true, 2, 3)).toEqual(['issued_quantity_mismatch']);
    expect(found(true, 6, 6)).toEqual(['over_issued']);
  });

  it('holds the stock against the users who were accepted, those of other services included', () => {
    const totals = { ...new CampaignModel().totals(), admitted: 2, stock: 3 };
    const found = (change: object, adoptable = 0) => judgeStock({ ...totals, ...change }, adoptable).map((one) => one.code);
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

  it('names whoever was claimed in a later turn than somebody who asked later', () => {
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
