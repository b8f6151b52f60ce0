import type { CouponStore } from '../../src/stores/redis/coupons.ts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../src/campaign/ports/verification.ts';
import { checkOwner, reset } from '../../src/operate/reset.ts';
import { seed } from '../../src/operate/seed.ts';
import { planSeeds } from '../../src/operate/seed-plan.ts';
import type { CouponDefinition } from '../../src/campaign/coupon.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const summer: CouponDefinition = { id: '42', name: '여름맞이 쿠폰', total: 100, opensAt: null, closesAt: null, expiry: { kind: 'never' } };

describe('seed', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const ports = (coupons: CouponStore & Verification = stores.coupons) => ({
    ledger: stores.ledger,
    coupons,
    newEpoch: randomUUID,
    keyStyle: 'plain',
  });
  const drainAll = async () => {
    const { epoch } = (await stores.ledger.coupon('42'))!;
    const result = await stores.claims.claim('42', { epoch, limit: 1_000, leaseMs: 30_000, worker: 'w' });
    if (result.status !== 'ok') throw new Error(result.status);
    const issued = await stores.ledger.issue('42', result.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
    if (issued.status !== 'ok') throw new Error(issued.status);
    await stores.claims.ack('42', epoch, issued.rows);
  };

  it('writes both stores, and the fields that other services read', async () => {
    expect(await seed(summer, ports())).toBe('created');
    expect(await stores.redis.hgetall('coupon:42')).toMatchObject({ name: '여름맞이 쿠폰', total: '100', stock: '100', state: 'open' });
    expect(await stores.redis.smembers('coupon_index')).toEqual(['42']);
    const coupon = (await stores.ledger.coupon('42'))!;
    expect(coupon).toMatchObject({ ...summer, state: 'ready', issuedQuantity: 0 });
    expect(await stores.redis.hget('coupon:42', 'epoch')).toBe(coupon.epoch);
  });

  it('keeps window and expiry the same in both stores', async () => {
    const definition = {
      ...summer,
      opensAt: new Date('2026-12-24'),
      closesAt: new Date('2026-12-25'),
      expiry: { kind: 'after' as const, ms: 2_592_000_000 },
    };
    await seed(definition, ports());
    expect(await stores.ledger.coupon('42')).toMatchObject(definition);
    expect(await stores.redis.hmget('coupon:42', 'opens_at', 'closes_at', 'valid_for', 'ex_date')).toEqual([
      '2026-12-24T00:00:00.000Z',
      '2026-12-25T00:00:00.000Z',
      '30d',
      null,
    ]);
  });

  it('again beside a drain: a batch that is acknowledged between the looks at both stores is no reason for doubt', async () => {
    await seed(summer, ports());
    await stores.admission.admit('42', [{ userId: 'kim', requestId: 'r' }]);
    const checkSeed: CouponStore['checkSeed'] = async (couponId, epoch) => {
      await drainAll();
      return stores.coupons.checkSeed(couponId, epoch);
    };
    expect(await planSeeds([summer], ports({ ...stores.coupons, checkSeed }))).toMatchObject([{ action: 'unchanged', problem: null }]);
  });

  it('again changes nothing', async () => {
    await seed(summer, ports());
    await stores.admission.admit('42', [{ userId: 'a', requestId: 'r' }]);
    const before = await stores.redis.hgetall('coupon:42');
    expect(await planSeeds([summer], ports())).toMatchObject([{ action: 'unchanged' }]);
    expect(await seed(summer, ports())).toBe('unchanged');
    expect(await stores.redis.hgetall('coupon:42')).toEqual(before);
  });

  it('with other values is refused with the difference, and changes nothing', async () => {
    await seed(summer, ports());
    await expect(seed({ ...summer, total: 200 }, ports())).rejects.toMatchObject({
      code: 'SEED_CONFLICT',
      why: 'stock: 100 there, 200 asked for',
    });
    expect(await stores.redis.hget('coupon:42', 'total')).toBe('100');
  });

  it('many at once do it once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => seed(summer, ports())));
    expect(outcomes.filter((outcome) => outcome === 'created').length).toBeLessThanOrEqual(1);
    expect(await stores.redis.hget('coupon:42', 'epoch')).toBe((await stores.ledger.coupon('42'))!.epoch);
    expect(await seed(summer, ports())).toBe('unchanged');
  });

  it.each(['index', 'seed'] as const)('that died before its %s step is finished by the same command', async (step) => {
    const dying: CouponStore & Verification = { ...stores.coupons, [step]: () => Promise.reject(new Error('killed')) };
    await expect(seed(summer, ports(dying))).rejects.toThrow('killed');
    expect((await stores.ledger.coupon('42'))!.state).toBe('seeding');
    expect(await planSeeds([summer], ports())).toMatchObject([{ action: 'finish' }]);
    expect(await seed(summer, ports())).toBe('finished');
    expect(await seed(summer, ports())).toBe('unchanged');
  });

  it('that died after Redis was written is finished without giving stock back', async () => {
    const dying = { ...stores.ledger, finishSeeding: () => Promise.reject(new Error('killed')) };
    await expect(seed(summer, { ...ports(), ledger: dying })).rejects.toThrow('killed');
    await stores.admission.admit('42', [{ userId: 'early', requestId: 'r' }]);
    expect(await seed(summer, ports())).toBe('finished');
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('99');
  });

  it('is refused when the ledger has the coupon and Redis does not', async () => {
    await seed(summer, ports());
    await stores.redis.flushdb();
    await expect(seed(summer, ports())).rejects.toMatchObject({ code: 'COUPON_NOT_IN_REDIS', kind: 'usage' });
    expect(await stores.redis.dbsize()).toBe(0);
  });

  it.each([
    ['coupon:42', () => stores.redis.hset('coupon:42', 'name', 'theirs', 'stock', 7)],
    ['coupon_waiting_queue:42', () => stores.redis.zadd('coupon_waiting_queue:42', 1, 'theirs')],
  ])('does not touch a %s that somebody else wrote', async (key, write) => {
    await write();
    const before = await stores.redis.dump(key);
    await expect(seed(summer, ports())).rejects.toMatchObject({ code: 'REDIS_KEYS_TAKEN' });
    expect(await stores.redis.dump(key)).toBe(before);
  });

  it('after a reset starts over in both stores', async () => {
    await seed(summer, ports());
    await stores.admission.admit(
      '42',
      Array.from({ length: 20 }, (_, i) => ({ userId: `u${i}`, requestId: 'r' })),
    );
    await drainAll();
    await stores.admission.admit('42', [{ userId: 'waiting', requestId: 'r' }]);
    const old = (await stores.ledger.coupon('42'))!.epoch;
    expect(await reset('42', ports())).toBe(20);
    expect(await stores.redis.keys('*42*')).toEqual([]);
    expect(await stores.ledger.coupon('42')).toBeNull();
    expect(await seed({ ...summer, total: 7 }, ports())).toBe('created');
    expect((await stores.ledger.coupon('42'))!.epoch).not.toBe(old);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('7');
  });

  it('a reset leaves what another ledger has seeded, and deletes what no ledger or an ended life has', async () => {
    const refused = () => checkOwner('42', ports());
    await stores.redis.hset('coupon:42', { total: 5, stock: 5, epoch: randomUUID() });
    await expect(refused()).rejects.toMatchObject({ code: 'REDIS_KEYS_TAKEN', kind: 'usage' });
    await stores.redis.del('coupon:42');
    await seed(summer, ports());
    const { epoch } = (await stores.ledger.coupon('42'))!;
    await refused();
    await stores.redis.hset('coupon:42', 'epoch', randomUUID());
    await expect(refused()).rejects.toMatchObject({ code: 'REDIS_KEYS_TAKEN' });
    await stores.redis.hdel('coupon:42', 'epoch');
    await refused();
    await reset('42', ports());
    await stores.redis.hset('coupon:42', { total: 5, stock: 5, epoch });
    await refused();
    await stores.redis.del('coupon:42');
    await stores.redis.set('coupon:42', 'no hash');
    await refused();
  });

  it('a reset without a row may be interrupted, and is still possible then', async () => {
    await stores.redis.hset('coupon:42', { total: 5, stock: 5 });
    const dying = { ...stores.coupons, drop: () => Promise.reject(new Error('killed')) };
    await expect(reset('42', { ...ports(), coupons: dying })).rejects.toThrow('killed');
    await checkOwner('42', ports());
    await reset('42', ports());
    expect(await stores.redis.keys('*42*')).toEqual([]);
  });

  it('reset that died half-way is refused by a plain seed and finished by the same reset', async () => {
    await seed(summer, ports());
    await stores.admission.admit('42', [{ userId: 'a', requestId: 'r' }]);
    await drainAll();
    const dying = { ...stores.coupons, drop: () => Promise.reject(new Error('killed')) };
    await expect(reset('42', { ...ports(), coupons: dying })).rejects.toThrow('killed');
    await expect(seed(summer, ports())).rejects.toMatchObject({ code: 'RESET_UNFINISHED' });
    await reset('42', ports());
    expect(await seed(summer, ports())).toBe('created');
  });
});
