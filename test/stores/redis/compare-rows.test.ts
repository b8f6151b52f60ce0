import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStores, type TestStores } from '../../support/stores.ts';

const ID = 'sale';
const ISSUED = `issued_coupon:coupon:${ID}-user:kim`;

describe('compareRows', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: ID, expiry: { kind: 'after', ms: 86_400_000 } });
    await stores.admission.admit(ID, [{ userId: 'kim', requestId: 'r' }]);
  });

  const drain = async () => {
    const { epoch } = (await stores.ledger.coupon(ID))!;
    const claimed = await stores.claims.claim(ID, { epoch, limit: 200, leaseMs: 30_000, worker: 'w' });
    if (claimed.status !== 'ok') throw new Error(claimed.status);
    const issued = await stores.ledger.issue(ID, claimed.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
    if (issued.status !== 'ok') throw new Error(issued.status);
    await stores.claims.ack(ID, epoch, issued.rows);
  };
  const compare = async () => stores.reader.compareRows(ID, await stores.ledger.briefs(ID, '', 1_000));

  it('has nothing to say about anybody who was issued and acknowledged, in however many parts', async () => {
    const others = Array.from({ length: 99 }, (_, index) => ({ userId: `user-${index}`, requestId: 'r' }));
    await stores.admission.admit(ID, others);
    await drain();
    const rows = await stores.ledger.briefs(ID, '', 1_000);
    expect(rows).toHaveLength(100);
    const manyParts = Array.from({ length: 6 }, () => rows).flat();
    expect(await stores.reader.compareRows(ID, manyParts)).toEqual({ differing: [], adopted: [] });
    expect(await stores.reader.compareRows(ID, [])).toEqual({ differing: [], adopted: [] });
  });

  it('follows a use, a revoked coupon, and one that never ends', async () => {
    await drain();
    const used = await stores.ledger.use(ID, 'kim', 'once', 'plain');
    expect((await compare()).differing).toEqual(['kim']);
    if (used.status === 'used') await stores.coupons.use(ID, 'kim', used.usedAt);
    expect((await compare()).differing).toEqual([]);
    await stores.sql("UPDATE issued_coupons SET revoked_at = '2026-12-24T01:02:03.004Z', expires_at = NULL");
    expect((await compare()).differing).toEqual(['kim']);
    await stores.redis.hset(ISSUED, { revoked_at: '2026-12-24T01:02:03.004Z', ex_date: '' });
    expect((await compare()).differing).toEqual([]);
  });

  it.each([1_700_000_000, 1_700_000_000_123, 1_700_000_000_123_456])('names users adopted at score %d as such', async (score) => {
    await stores.redis.zadd(`coupon_waiting_queue:${ID}`, score, 'guest');
    await drain();
    expect(await compare()).toEqual({ differing: [], adopted: ['guest'] });
  });

  it.each<[string, (stores: TestStores) => Promise<unknown>]>([
    ['was not admitted', ({ redis }) => redis.hdel(`coupon_admitted:${ID}`, 'kim')],
    ['was admitted at another time', ({ redis }) => redis.hset(`coupon_admitted:${ID}`, 'kim', '1700000000123456:r')],
    ['has no readable admission', ({ redis }) => redis.hset(`coupon_admitted:${ID}`, 'kim', 'nonsense')],
    ['still waits', ({ redis }) => redis.zadd(`coupon_waiting_queue:${ID}`, 1, 'kim')],
    ['is still leased', ({ redis }) => redis.zadd(`coupon_leases:${ID}`, 1, 'kim')],
    ['is still claimed', ({ redis }) => redis.hset(`coupon_claims:${ID}`, 'kim', '1:w:1:1:1:0')],
    ['is dead', ({ redis }) => redis.hset(`coupon_dead:${ID}`, 'kim', '')],
    ['has no issued hash', ({ redis }) => redis.del(ISSUED)],
    ['has the hash of another user', ({ redis }) => redis.hset(ISSUED, 'userId', 'lee')],
    ['has the hash of another coupon', ({ redis }) => redis.hset(ISSUED, 'couponId', 'other')],
    ['lacks a field', ({ redis }) => redis.hdel(ISSUED, 'used_at')],
    ['has another expiry', ({ redis }) => redis.hset(ISSUED, 'ex_date', '')],
    ['was revoked in Redis alone', ({ redis }) => redis.hset(ISSUED, 'revoked_at', '2026-12-24T01:02:03.004Z')],
    ['has a field that runs into the next', ({ redis }) => redis.hset(ISSUED, 'ex_date', '2026-12-24T01:02:03.004Z ', 'used_at', '')],
    ['was asked for at another time', ({ sql }) => sql("UPDATE issued_coupons SET requested_at = requested_at + interval '1 ms'")],
    ['was issued at another time', ({ sql }) => sql("UPDATE issued_coupons SET issued_at = issued_at + interval '1 ms'")],
  ])('names a user who %s', async (_, plant) => {
    await drain();
    await plant(stores);
    expect(await compare()).toEqual({ differing: ['kim'], adopted: [] });
  });
});
