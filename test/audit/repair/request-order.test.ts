/** A clock that was ahead for a while has left request times of later. Whoever asks after a repair still stands behind all of them. */
import { systemClock } from '../../../src/lib/clock.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { drainPass } from '../../../src/drain/pass.ts';
import { repair, type RepairPorts } from '../../../src/audit/repair/repair.ts';
import { verifyAgainstLedger } from '../../../src/campaign/verify-coupon.ts';
import { ledgerRepairs } from '../../../src/stores/postgres/ledger-repairs.ts';
import { redisRepairs } from '../../../src/stores/redis/repairs.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const ID = 'sale';
const COUPON = `coupon:${ID}`;
const AHEAD_US = 3_600_000_000;
const PLACES = ['waiting', 'claimed', 'dead', 'issued'] as const;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const admit = async (userId: string): Promise<number> => {
  expect(await stores.admission.admit(ID, [{ userId, requestId: 'r' }])).toMatchObject([{ outcome: 'accepted' }]);
  return Number.parseInt((await stores.redis.hget(`coupon_admitted:${ID}`, userId))!, 10);
};

/** `last` was accepted while the clock was ahead, and is in this place now. */
async function lastIn(place: (typeof PLACES)[number]): Promise<number> {
  await stores.redis.hset(COUPON, 'last_us', Date.now() * 1_000 + AHEAD_US);
  const score = await admit('last');
  if (place === 'waiting') return score;
  const { claims, coupons, ledger } = stores;
  if (place === 'issued') {
    const options = { couponIds: [], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false };
    await drainPass({ claims, coupons, ledger }, options, new AbortController().signal);
    return score;
  }
  const { epoch } = (await ledger.coupon(ID))!;
  const claimed = await claims.claim(ID, { epoch, limit: 10, leaseMs: 30_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  if (place === 'dead') await claims.bury(ID, epoch, [{ userId: 'last', fence: claimed.claims[0]!.fence, reason: 'banned' }]);
  return score;
}

/** As Spring Data saves an entity. */
async function rewrite(fields: Record<string, number>): Promise<void> {
  await stores.redis.del(COUPON);
  await stores.redis.hset(COUPON, { name: 'theirs', total: 10, ...fields });
}

async function repaired(ledger: RepairPorts['ledger']): Promise<void> {
  const { reader, claims, coupons, connection, database } = stores;
  const ports = { reader, ledger, claims, coupons, clock: systemClock };
  const options = { couponIds: [], scan: true, keyStyle: 'plain', dryRun: false, confirm: true, reopen: true };
  const quiet = { mended: () => undefined, looked: () => undefined };
  await repair({ ...ports, redis: redisRepairs(connection, 'plain'), repairs: ledgerRepairs(database) }, options, quiet);
}

it('a late worker issues the last one, and gives the claim up, after the ledger was asked', async () => {
  await stores.clear();
  await stores.seed({ id: ID, total: 10 });
  await stores.redis.hset(COUPON, 'last_us', Date.now() * 1_000 + AHEAD_US);
  const last = await admit('last');
  const { ledger, claims } = stores;
  const { epoch } = (await ledger.coupon(ID))!;
  const claimed = await claims.claim(ID, { epoch, limit: 10, leaseMs: 30_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  await stores.redis.hdel(COUPON, 'last_us');
  await stores.coupons.markSuspect(ID, epoch, 'repair');
  await repaired({
    ...ledger,
    async latestRequestUs(couponId) {
      const latest = await ledger.latestRequestUs(couponId);
      const issued = await ledger.issue(ID, claimed.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
      if (issued.status === 'ok') await claims.ack(ID, epoch, issued.rows);
      return latest;
    },
  });
  expect(await stores.redis.hlen(`coupon_claims:${ID}`)).toBe(0);
  expect(await admit('new')).toBeGreaterThan(last);
});

describe.each(PLACES)('where the last one is %s', (place) => {
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: ID, total: 10 });
    await admit('first');
  });

  it('a repair of a coupon that another program wrote over', async () => {
    const last = await lastIn(place);
    await rewrite({});
    await repaired(stores.ledger);
    expect(await admit('new')).toBeGreaterThan(last);
  });

  it('a coupon that is shared with the program that wrote over it', async () => {
    await stores.sql(`UPDATE coupons SET shared_stock_field = 'stock'`);
    const last = await lastIn(place);
    await rewrite({ stock: 8 });
    const { coupons, ledger } = stores;
    const verified = await verifyAgainstLedger({ verification: coupons, ledger }, (await ledger.coupon(ID))!);
    expect(verified).toMatchObject({ status: 'ok' });
    expect(await admit('new')).toBeGreaterThan(last);
  });
});
