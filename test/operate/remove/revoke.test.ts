import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit } from '../../../src/audit/audit.ts';
import { repair } from '../../../src/audit/repair/repair.ts';
import { changeCoupon } from '../../../src/operate/change.ts';
import { revokeCoupon, type RevokePorts } from '../../../src/operate/remove/revoke.ts';
import { useCoupon } from '../../../src/operate/use.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { CouponError } from '../../../src/lib/errors.ts';
import { ledgerRepairs } from '../../../src/stores/postgres/ledger-repairs.ts';
import { redisRepairs } from '../../../src/stores/redis/repairs.ts';
import { issueWaiting } from '../../support/issue.ts';
import { beforeAndAfter, dying, type Call } from '../../support/killed.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
  await stores.seed({ id: 'c', total: 2 });
  await ask('kim', 'ann');
  await issueWaiting(stores, 'c');
});

const ports = (): RevokePorts => ({
  ledger: stores.ledger,
  coupons: stores.coupons,
  claims: stores.claims,
  keyStyle: 'plain',
  newOpId: randomUUID,
});
const revoke = (userId: string, { returnStock = false, dryRun = false, given = ports() } = {}) =>
  revokeCoupon('c', userId, { reason: 'stolen card', returnStock, dryRun, byWhom: 'op@shop' }, given);
const ask = async (...userIds: string[]): Promise<string[]> =>
  (
    await stores.admission.admit(
      'c',
      userIds.map((userId) => ({ userId, requestId: randomUUID() })),
    )
  ).map(({ outcome }) => outcome);
const use = (userId: string) =>
  useCoupon({ ledger: stores.ledger, hashes: stores.coupons, claims: stores.claims, keyStyle: 'plain' }, 'c', userId, 'u');
const quick = { ...systemClock, sleep: async (): Promise<void> => undefined };
const findings = async (): Promise<string[]> =>
  (
    await audit({ reader: stores.reader, ledger: stores.ledger, clock: quick }, { couponIds: [], scan: true, keyStyle: 'plain' })
  ).findings.map(({ code }) => code);
const numbers = async (): Promise<object> => {
  const { total, issuedQuantity, returnedQuantity, version } = (await stores.ledger.coupon('c'))!;
  const [stock, returned, givenBack] = await stores.redis.hmget('coupon:c', 'stock', 'returned', 'given_back');
  return { total, issuedQuantity, returnedQuantity, version, stock, returned, givenBack };
};
const refusal = (work: Promise<unknown>): Promise<CouponError> =>
  work.then(
    () => Promise.reject(new Error('it was done')),
    (error: CouponError) => error,
  );
const mend = () =>
  repair(
    {
      reader: stores.reader,
      ledger: stores.ledger,
      clock: quick,
      claims: stores.claims,
      coupons: stores.coupons,
      redis: redisRepairs(stores.connection, 'plain'),
      repairs: ledgerRepairs(stores.database),
    },
    { couponIds: [], scan: true, keyStyle: 'plain', dryRun: false, confirm: false, reopen: false },
    { looked: () => undefined, mended: () => undefined },
  );

test('a revoked coupon cannot be used, shows in both stores, and its user gets no other one', async () => {
  const result = await revoke('kim');
  expect(result).toMatchObject({ outcome: 'done', revokedAt: expect.any(Date) });
  expect(await use('kim')).toMatchObject({ status: 'revoked', followed: false });
  expect(await stores.redis.hget('issued_coupon:coupon:c-user:kim', 'revoked_at')).toBe(result.revokedAt!.toISOString());
  expect(await stores.sql(`SELECT revoke_reason FROM issued_coupons WHERE user_id = 'kim'`)).toEqual([{ revoke_reason: 'stolen card' }]);
  expect(await ask('kim', 'bob')).toEqual(['duplicate', 'sold_out']);
  expect(await numbers()).toMatchObject({ issuedQuantity: 2, returnedQuantity: 0, version: 2, stock: '0', returned: '0' });
  expect(await findings()).toEqual([]);
  expect(await revoke('kim')).toMatchObject({ outcome: 'unchanged', revokedAt: result.revokedAt });
  expect(await stores.ledger.changes('c', 10)).toMatchObject([
    { kind: 'revoke', details: { user: 'kim', returnStock: false }, reason: 'stolen card', byWhom: 'op@shop' },
  ]);
});

test('with its stock returned somebody else gets the coupon, once', async () => {
  await revoke('kim', { returnStock: true });
  expect(await numbers()).toMatchObject({ issuedQuantity: 1, returnedQuantity: 1, stock: '1', returned: '1', givenBack: '1' });
  expect(await findings()).toEqual([]);
  expect(await revoke('kim', { returnStock: true })).toMatchObject({ outcome: 'unchanged' });
  expect(await ask('kim', 'bob', 'eve')).toEqual(['duplicate', 'accepted', 'sold_out']);
  await issueWaiting(stores, 'c');
  expect(await numbers()).toMatchObject({ issuedQuantity: 2, returnedQuantity: 1, stock: '0', returned: '1' });
  expect(await findings()).toEqual([]);
  expect(await use('bob')).toMatchObject({ status: 'used' });
  expect(await stores.ledger.counts('c')).toMatchObject({ rows: 3, returned: 1 });
});

test('a coupon that was revoked before may go back into the stock later; one that was used does not', async () => {
  await revoke('kim');
  await revoke('kim', { returnStock: true });
  expect(await numbers()).toMatchObject({ issuedQuantity: 1, returnedQuantity: 1, stock: '1', version: 3 });
  await use('ann');
  expect(await refusal(revoke('ann', { returnStock: true }))).toMatchObject({ code: 'ALREADY_USED', kind: 'usage' });
  expect(await revoke('ann')).toMatchObject({ outcome: 'done' });
  expect(await findings()).toEqual([]);
});

test('one that is not acknowledged yet stays revoked when a late worker acknowledges it', async () => {
  await changeCoupon(
    'c',
    { kind: 'restock', add: 1 },
    { byWhom: 'op', reason: null, opId: null },
    {
      ...ports(),
      ledger: stores.ledger,
    },
  );
  await ask('bob');
  const epoch = (await stores.ledger.coupon('c'))!.epoch;
  const claimed = await stores.claims.claim('c', { epoch, limit: 1, leaseMs: 60_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  const issued = await stores.ledger.issue('c', claimed.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
  if (issued.status !== 'ok') throw new Error(issued.status);
  await revoke('bob');
  await stores.claims.ack('c', epoch, issued.rows);
  expect(await stores.redis.hget('issued_coupon:coupon:c-user:bob', 'revoked_at')).not.toBe('');
  expect(await findings()).toEqual([]);
});

const CALLS = ['beginRevoke', 'ack', 'change', 'finishChange'] as const;

describe.each([false, true])('killed, and run again, it is finished once (stock returned: %s):', (returnStock) => {
  const killed = async (call: Call): Promise<void> => {
    const given = {
      ...ports(),
      ledger: dying(stores.ledger, call),
      coupons: dying(stores.coupons, call),
      claims: dying(stores.claims, call),
    };
    expect(await refusal(revoke('kim', { returnStock, given }))).toMatchObject({ message: 'killed' });
  };
  const expected = returnStock
    ? { issuedQuantity: 1, returnedQuantity: 1, stock: '1', returned: '1' }
    : { issuedQuantity: 2, returnedQuantity: 0, stock: '0', returned: '0' };

  const finishing = `revoke c kim --reason 'stolen card'${returnStock ? ' --return-stock' : ''}`;

  test.each(beforeAndAfter(CALLS))('%s', async (_name, call) => {
    await killed(call);
    const [left] = await stores.ledger.changes('c', 10);
    const isUnfinished = left !== undefined && left.finishedAt === null;
    const told = isUnfinished ? (await refusal(revoke('ann'))).fix : finishing;
    expect(told).toContain(finishing);
    const again = await revoke('kim', { returnStock });
    expect(again.outcome).toBe(left ? (left.finishedAt ? 'unchanged' : 'finished') : 'done');
    await revoke('kim', { returnStock });
    expect(await numbers()).toMatchObject({ ...expected, version: 2 });
    expect(await findings()).toEqual([]);
    expect(await stores.ledger.changes('c', 10)).toHaveLength(1);
  });

  test('also after a repair in between', async () => {
    await killed(['change', 'before']);
    await mend();
    await revoke('kim', { returnStock });
    expect(await numbers()).toMatchObject({ ...expected, version: 2 });
    expect(await findings()).toEqual([]);
  });
});

test('a restock that a repair has brought to Redis meanwhile is not added twice', async () => {
  const given = { ...ports(), coupons: dying(stores.coupons, ['change', 'before']) };
  const restock = (with_: RevokePorts) =>
    changeCoupon(
      'c',
      { kind: 'restock', add: 5 },
      { byWhom: 'op', reason: null, opId: '00000000-0000-4000-8000-000000000001' },
      { ...with_, ledger: stores.ledger },
    );
  await refusal(restock(given));
  await mend();
  await restock(ports());
  expect(await numbers()).toMatchObject({ total: 7, stock: '5' });
  expect(await findings()).toEqual([]);
});

test('a repair that rebuilds Redis keeps what was revoked and what went back into the stock', async () => {
  await revoke('kim', { returnStock: true });
  await stores.redis.flushdb();
  await mend();
  expect(await numbers()).toMatchObject({ issuedQuantity: 1, returnedQuantity: 1, stock: '1', returned: '1', givenBack: '1' });
  expect(await stores.redis.hget('issued_coupon:coupon:c-user:kim', 'revoked_at')).not.toBeNull();
});

test('a ledger that has lost a revocation learns of it from the issued hash', async () => {
  await revoke('kim');
  await stores.sql('UPDATE issued_coupons SET revoked_at = NULL');
  await mend();
  expect((await stores.ledger.rows('c', ['kim']))[0]!.revokedAt).toBeInstanceOf(Date);
  expect(await findings()).toEqual([]);
});

test('a dry run says what would be done; what was not issued, and a suspect coupon, are refused', async () => {
  expect(await revoke('kim', { dryRun: true, returnStock: true })).toMatchObject({ outcome: 'planned', revokedAt: null });
  expect(await refusal(revoke('nobody'))).toMatchObject({ code: 'NOT_ISSUED', kind: 'usage' });
  await stores.redis.hset('coupon:c', 'suspect', 'fence');
  expect(await refusal(revoke('kim'))).toMatchObject({ code: 'COUPON_SUSPECT', kind: 'broken' });
  expect(await stores.ledger.changes('c', 10)).toEqual([]);
  expect((await stores.ledger.rows('c', ['kim']))[0]!.revokedAt).toBeNull();
});
