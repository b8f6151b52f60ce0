import { systemClock } from '../../src/lib/clock.ts';
import { CouponError, isReplyLost } from '../../src/lib/errors.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import { verifiedAdmission } from '../../src/admission/verified-admission.ts';
import { redisAdmission } from '../../src/stores/redis/admission.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let stores: TestStores;
let ms: number;
let looks: number;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  ms = 0;
  looks = 0;
  await stores.clear();
});

function verified(admission: Admission = stores.admission): Admission {
  const ledger = {
    ...stores.ledger,
    coupon: (couponId: string) => {
      looks += 1;
      return stores.ledger.coupon(couponId);
    },
  };
  return verifiedAdmission({ admission, verification: stores.coupons, ledger, clock: { ...systemClock, now: () => ms } });
}

const ask = (userId: string) => ({ userId, requestId: `request of ${userId}` });
const outcomes = async (admission: Admission, ...users: string[]): Promise<string[]> =>
  (await admission.admit('42', users.map(ask))).map((answer) => answer.outcome);

describe('a coupon that this server of Redis was not checked for', () => {
  beforeEach(async () => {
    await stores.seed({ id: '42', total: 3 });
    await stores.redis.hset('coupon:42', 'run', 'the server before');
  });

  test('is checked against the ledger, and the same requests are then accepted', async () => {
    expect(await outcomes(verified(), 'a', 'b', 'c', 'd')).toEqual(['accepted', 'accepted', 'accepted', 'sold_out']);
    expect(looks).toBe(1);
    expect(await stores.redis.zrange('coupon_waiting_queue:42', 0, '-1')).toEqual(['a', 'b', 'c']);
  });

  test('is checked once for many batches at a time', async () => {
    const admission = verified();
    await Promise.all(Array.from({ length: 20 }, (_, i) => outcomes(admission, `u${i}`)));
    expect(looks).toBe(1);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('0');
  });

  test('that is behind the ledger stays unavailable, and is looked at once a second', async () => {
    await stores.sql('UPDATE coupons SET max_fence = 7');
    const admission = verified();
    expect(await outcomes(admission, 'a')).toEqual(['unavailable']);
    expect(await stores.redis.hget('coupon:42', 'suspect')).toBe('fence');
    expect(await outcomes(admission, 'a', 'b')).toEqual(['unavailable', 'unavailable']);
    expect(looks).toBe(1);
    ms = 1_000;
    await outcomes(admission, 'a');
    expect(looks).toBe(2);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('3');
  });

  test('whose seeding was not finished stays unavailable', async () => {
    await stores.sql("UPDATE coupons SET state = 'seeding'");
    expect(await outcomes(verified(), 'a')).toEqual(['unavailable']);
  });

  test('a user who was accepted before gets the old answer without a look at the ledger', async () => {
    await stores.redis.hset('coupon:42', 'run', stores.connection.runOf(''));
    await outcomes(verified(), 'a');
    await stores.redis.hset('coupon:42', 'run', 'the server before');
    expect(await outcomes(verified(), 'a')).toEqual(['accepted']);
    expect(looks).toBe(0);
  });
});

describe('a Redis whose answers get lost', () => {
  test('is asked again under the same ids: a late answer spends no stock twice', async () => {
    await stores.seed({ id: '42', total: 3 });
    await using proxy = await openProxy(stores.redisUrl);
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true, commandTimeoutMs: 1_000 });
    const store = redisAdmission(connection, 'plain');
    const failures: unknown[] = [];
    const admission = verified({
      admit: async (couponId, requests) => {
        try {
          return await store.admit(couponId, requests);
        } catch (error) {
          failures.push(error);
          proxy.releaseReplies();
          throw error;
        }
      },
    });
    proxy.holdReplies();
    expect(await outcomes(admission, 'a', 'b')).toEqual(['accepted', 'accepted']);
    expect(failures.map(isReplyLost)).toEqual([true]);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('1');
    connection.close();
  });

  test('over a link that is cut and comes back, users hear the truth', async () => {
    await stores.seed({ id: '42', total: 3 });
    await using proxy = await openProxy(stores.redisUrl);
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
    proxy.holdReplies();
    const asked = outcomes(verified(redisAdmission(connection, 'plain')), 'a');
    await until(async () => (await stores.redis.hexists('coupon_admitted:42', 'a')) === 1);
    proxy.dropReplies();
    expect(await asked).toEqual(['accepted']);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('2');
    connection.close();
  });

  test('and that does not come back: the loss is what is thrown, because the requests may have been accepted', async () => {
    await stores.seed({ id: '42', total: 3 });
    await using proxy = await openProxy(stores.redisUrl);
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
    proxy.holdReplies();
    const asked = outcomes(verified(redisAdmission(connection, 'plain')), 'a').catch((error: unknown) => error);
    await until(async () => (await stores.redis.hexists('coupon_admitted:42', 'a')) === 1);
    await proxy.cut();
    expect(await asked).toSatisfy(isReplyLost);
    connection.close();
  });

  test.each([
    ['is out of service', async () => void (await stores.redis.hset('coupon:42', 'suspect', 'fence'))],
    ['was restarted, and is behind the ledger', async () => void (await stores.redis.hset('coupon:42', 'run', 'the server before'))],
    ['is empty', async () => void (await stores.redis.flushdb())],
  ])('and that %s when it is asked again: whoever it lost may have been accepted', async (_what, lose) => {
    await stores.seed({ id: '42', total: 3 });
    let lost = false;
    const admission = verified({
      admit: async (couponId, requests) => {
        const answers = await stores.admission.admit(couponId, requests);
        if (lost) return answers;
        lost = true;
        // The claim of a worker outlived what Redis lost, and the ledger has the row.
        await stores.redis.hdel('coupon_admitted:42', 'a');
        await stores.redis.zrem('coupon_waiting_queue:42', 'a');
        await stores.sql('UPDATE coupons SET max_fence = 7');
        await lose();
        throw new CouponError({ code: 'REDIS_REPLY_LOST', kind: 'unreachable', message: 'the reply was lost', fix: '' });
      },
    });
    expect(await outcomes(admission, 'a', 'known').catch((error: unknown) => error)).toSatisfy(isReplyLost);
  });

  test('a request that cannot be sent at all is certainly not accepted', async () => {
    await stores.seed({ id: '42', total: 3 });
    await using proxy = await openProxy(stores.redisUrl);
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
    await proxy.cut();
    await until(() => connection.client.status !== 'ready');
    const error = await outcomes(verified(redisAdmission(connection, 'plain')), 'a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REDIS_DOWN', kind: 'unreachable' });
    expect(isReplyLost(error)).toBe(false);
    connection.close();
  });
});
