import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const ID = 'sale';

describe('users of a coupon', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    await stores.seed({ id: ID, total: 1_000 });
    await stores.admission.admit(ID, [{ userId: 'waiting', requestId: 'r' }]);
    const { redis } = stores;
    await redis.zadd(`coupon_waiting_queue:${ID}`, 1_700_000_000.25, 'guest');
    await redis.zadd(`coupon_leases:${ID}`, 1_700_000_030_000, 'leased');
    await redis.hset(`coupon_claims:${ID}`, 'leased', '7:w:1700000000123456:30000:2:1');
    await redis.hset(`coupon_admitted:${ID}`, 'leased', '1700000000123456:r');
    await redis.hset(`coupon_dead:${ID}`, { poisoned: '22P05 "\\u0000" \u{1f9ea}', silent: '' });
    await redis.hset(`issued_coupon:coupon:${ID}-user:issued`, { userId: 'issued', ex_date: '', note: '여름\n"x"\u0001' });
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  it('are the same for a connection that may run scripts and for one that may only read', async () => {
    const onlyReads = await openRedis({ url: stores.redisUrl, reconnect: false, readOnly: true });
    const userIds = ['waiting', 'guest', 'leased', 'poisoned', 'silent', 'issued', 'nobody', 'bad{id}', 'nul\u0000byte'];
    const users = await stores.reader.users(ID, userIds);
    expect(await redisReader(onlyReads, 'plain').users(ID, userIds)).toEqual(users);
    onlyReads.close();
    const none = {
      admitted: null,
      waiting: null,
      position: null,
      leaseDeadlineMs: null,
      claim: null,
      dead: null,
      issued: null,
      occupied: null,
    };
    const claim = { fence: 7, worker: 'w', score: 1_700_000_000_123_456, leaseMs: 30_000, deliveries: 2, faults: 1 };
    const admitted = { score: 1_700_000_000_123_456, requestId: 'r' };
    expect(users.slice(1)).toEqual([
      { ...none, userId: 'guest', waiting: 1_700_000_000.25 },
      { ...none, userId: 'leased', admitted, leaseDeadlineMs: 1_700_000_030_000, claim },
      { ...none, userId: 'poisoned', dead: '22P05 "\\u0000" \u{1f9ea}' },
      { ...none, userId: 'silent', dead: '' },
      { ...none, userId: 'issued', issued: { userId: 'issued', ex_date: '', note: '여름\n"x"\u0001' } },
      ...['nobody', 'bad{id}', 'nul\u0000byte'].map((userId) => ({ ...none, userId })),
    ]);
  });

  it('come in the order in which they were asked for, however many there are', async () => {
    const userIds = Array.from({ length: 1_001 }, (_, index) => `user-${index}`);
    expect((await stores.reader.users(ID, userIds)).map((user) => user.userId)).toEqual(userIds);
    expect(await stores.reader.users(ID, [])).toEqual([]);
  });
});
