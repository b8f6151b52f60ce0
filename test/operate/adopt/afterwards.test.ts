/** What becomes of a coupon after it was adopted: it loses records, and the service goes on writing its hash. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit, type AuditReport } from '../../../src/audit/audit.ts';
import { repair } from '../../../src/audit/repair/repair.ts';
import { verifyAgainstLedger } from '../../../src/campaign/verify-coupon.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { campaignPorts } from '../../model/stores.ts';
import { adoptIn, adoptPorts } from '../../support/adopt.ts';
import { ASKED, reportCoupon } from '../../support/foreign-coupon.ts';
import { dying } from '../../support/killed.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ durable: false });
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const ask = async (userId: string) => (await stores.admission.admit('42', [{ userId, requestId: 'r' }]))[0]!.outcome;
const look = (): Promise<AuditReport> =>
  audit({ reader: stores.reader, ledger: stores.ledger, clock: systemClock }, { couponIds: ['42'], scan: true, keyStyle: 'plain' });
const codes = async () => (await look()).findings.map(({ code }) => code);
const verify = async () =>
  verifyAgainstLedger({ verification: stores.coupons, ledger: stores.ledger }, (await stores.ledger.coupon('42'))!);

/** As Spring Data saves an entity. */
async function rewrite(fields: Record<string, string | number>): Promise<void> {
  await stores.redis.del('coupon:42');
  await stores.redis.hset('coupon:42', { name: 'Shop', total: 100, ...fields });
}

test('a user who was issued before is not accepted anew when Redis has evicted who was accepted', async () => {
  await reportCoupon(stores.redis);
  await stores.redis.del('coupon_waiting_queue:42');
  await adoptIn(stores, '42', { total: 97 });
  expect(await ask('choi')).toBe('duplicate');
  await stores.redis.del('coupon_admitted:42', 'issued_coupon:coupon:42-user:choi');
  expect(await ask('choi')).toBe('unavailable');
});

test('killed before it writes the rows, it still knows when a user with a coupon asked', async () => {
  await reportCoupon(stores.redis);
  await stores.redis.zadd('coupon_waiting_queue:42', ASKED + 7, '"choi"');
  const { ledger, ...ports } = adoptPorts(stores);
  const killed = adoptIn(stores, '42', {}, { ...ports, ledger: dying(ledger, ['restoreRows', 'before']) });
  await expect(killed).rejects.toThrow('killed');
  await adoptIn(stores, '42');
  const [row] = await stores.ledger.rows('42', ['choi']);
  expect(row!.requestedUs).toBe((ASKED + 7) * 1_000);
});

test.each(['95.0', '+95', '"95"', '["java.lang.Double",95.0]'])('a stock that is written as %s is taken over', async (stock) => {
  await reportCoupon(stores.redis);
  await stores.redis.hset('coupon:42', 'stock', stock);
  await adoptIn(stores, '42');
  expect(await stores.redis.hget('coupon:42', 'stock')).toBe('95');
});

describe('the service writes the hash anew', () => {
  beforeEach(() => reportCoupon(stores.redis));

  test('without a stock: an audit finds it', async () => {
    await adoptIn(stores, '42');
    await rewrite({});
    expect(await codes()).toEqual(['stock_missing']);
  });

  test.each([
    [95, []],
    ['["java.lang.Long",95]', []],
    [90, ['stock_mismatch']],
  ])('with a stock of %s under a name of its own: an audit counts it', async (quantity, found) => {
    await stores.redis.del('coupon:42');
    await stores.redis.hset('coupon:42', { name: 'Shop', total: 100, quantity: 95 });
    await adoptIn(stores, '42', { fields: { stock: 'quantity' } });
    await rewrite({ quantity });
    expect(await codes()).toEqual(found);
  });

  test('with a coupon that a revocation has put back into the stock: it is taken back, and an audit finds nothing wrong before', async () => {
    await adoptIn(stores, '42');
    await stores.sql(`UPDATE issued_coupons SET revoked_at = now(), returned_at = now() WHERE user_id = 'choi'`);
    await stores.sql('UPDATE coupons SET issued_quantity = issued_quantity - 1, returned_quantity = 1');
    await stores.redis.hset('issued_coupon:coupon:42-user:choi', 'revoked_at', '2026-11-25T00:00:00.000Z');
    await stores.sql(`UPDATE issued_coupons SET revoked_at = '2026-11-25T00:00:00Z' WHERE user_id = 'choi'`);
    await rewrite({ stock: 96 });
    expect(await codes()).toEqual([]);
    expect(await verify()).toMatchObject({ status: 'ok' });
  });

  test('a repair of one of its users leaves the coupon in service', async () => {
    await adoptIn(stores, '42');
    await rewrite({ stock: 95 });
    await stores.redis.hset('issued_coupon:coupon:42-user:choi', 'ex_date', 'soon');
    const ports = campaignPorts(stores).repair;
    const options = { couponIds: ['42'], scan: true, keyStyle: 'plain', dryRun: false, confirm: false, reopen: false };
    expect(await repair(ports, options, { mended: () => undefined, looked: () => undefined })).toMatchObject({ ok: true });
    expect(await ask('new')).toBe('accepted');
  });

  test('a repair with nothing but what is left to a person leaves the hash to the service', async () => {
    await adoptIn(stores, '42');
    await rewrite({ stock: 95 });
    await stores.redis.del('issued_coupon:coupon:42-user:choi');
    await stores.redis.sadd('issued_coupon:coupon:42-user:choi', 'x');
    expect(await codes()).toEqual(['hash_wrong_type']);
    const options = { couponIds: ['42'], scan: true, keyStyle: 'plain', dryRun: false, confirm: false, reopen: false };
    const quiet = { mended: () => undefined, looked: () => undefined };
    expect(await repair(campaignPorts(stores).repair, options, quiet)).toMatchObject({ ok: false, done: [], plan: { steps: [] } });
    expect(await stores.redis.hgetall('coupon:42')).toEqual({ name: 'Shop', total: '100', stock: '95' });
  });

  test('claims that a forgotten user has ended stay ended', async () => {
    await adoptIn(stores, '42');
    await stores.sql('UPDATE coupons SET min_fence = 5');
    await rewrite({ stock: 95 });
    expect(await verify()).toMatchObject({ status: 'ok' });
    expect(await stores.redis.hget('coupon:42', 'min_fence')).toBe('5');
  });
});
