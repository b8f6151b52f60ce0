import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { admissionBy } from '../support/baselines.ts';
import { issueWaiting } from '../support/issue.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const ask = async (userId: string): Promise<string> => {
  const { admission } = admissionBy('three-calls', stores);
  const [answer] = await admission.admit('c', [{ userId, requestId: `${userId}-${Math.random()}` }]);
  return answer!.outcome;
};
const stock = async (): Promise<number> => Number(await stores.redis.hget('coupon:c', 'stock'));

test('a user who waits and asks again spends another coupon, and is told "accepted" once more', async () => {
  await stores.seed({ id: 'c', total: 5 });
  expect([await ask('a'), await ask('a')]).toEqual(['accepted', 'accepted']);
  expect(await stock()).toBe(3);
  expect(await stores.redis.zrange('coupon_waiting_queue:c', 0, '-1')).toEqual(['a']);
});

test('a user who has been issued is known', async () => {
  await stores.seed({ id: 'c', total: 5 });
  await ask('a');
  await issueWaiting(stores, 'c');
  expect(await ask('a')).toBe('duplicate');
  expect(await stock()).toBe(4);
});

test('every request after the last coupon drives the stock further below zero', async () => {
  await stores.seed({ id: 'c', total: 1 });
  expect([await ask('a'), await ask('b'), await ask('c')]).toEqual(['accepted', 'sold_out', 'sold_out']);
  expect(await stock()).toBe(-2);
});

test('a failure between two of the calls leaves the coupon spent', async () => {
  await stores.seed({ id: 'c', total: 1 });
  await stores.redis.set('coupon_waiting_queue:c', 'no sorted set');
  await expect(ask('a')).rejects.toMatchObject({ code: 'REDIS_REFUSED' });
  expect(await stock()).toBe(0);
});
