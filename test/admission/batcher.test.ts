import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AdmissionBatcher } from '../../src/admission/batcher.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
let sizes: [string, number][];
let counted: Admission;

beforeAll(async () => {
  stores = await openStores();
  counted = {
    admit: (couponId, requests) => {
      sizes.push([couponId, requests.length]);
      return stores.admission.admit(couponId, requests);
    },
  };
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  sizes = [];
  await stores.clear();
});

const ask = (userId: string) => ({ userId, requestId: `request of ${userId}` });

test('requests of one turn go as one batch per coupon, and each gets its own answer', async () => {
  await stores.seed({ id: 'a', total: 2 });
  await stores.seed({ id: 'b', total: 1 });
  const batcher = new AdmissionBatcher(counted);
  const answers = await Promise.all([
    batcher.admit('a', ask('u1')),
    batcher.admit('b', ask('u1')),
    batcher.admit('a', ask('u2')),
    batcher.admit('b', ask('u2')),
    batcher.admit('a', ask('u3')),
    batcher.admit('c', ask('u1')),
  ]);
  expect(answers.map((answer) => answer.outcome)).toEqual(['accepted', 'accepted', 'accepted', 'sold_out', 'sold_out', 'unknown_coupon']);
  expect(sizes).toEqual([
    ['a', 3],
    ['b', 2],
    ['c', 1],
  ]);
});

test('the first to arrive are the first in the queue', async () => {
  await stores.seed({ id: 'a', total: 50 });
  const batcher = new AdmissionBatcher(counted);
  const users = Array.from({ length: 50 }, (_, i) => `user-${(i * 37) % 50}`);
  await Promise.all(users.map((user) => batcher.admit('a', ask(user))));
  expect(await stores.redis.zrange('coupon_waiting_queue:a', 0, '-1')).toEqual(users);
});

test('a batch holds no more than one script run, so that it is answered or fails as a whole', async () => {
  await stores.seed({ id: 'a', total: 1_000 });
  const batcher = new AdmissionBatcher(counted);
  const answers = await Promise.all(Array.from({ length: 600 }, (_, i) => batcher.admit('a', ask(`u${i}`))));
  expect(sizes.map(([, size]) => size)).toEqual([256, 256, 88]);
  expect(new Set(answers.map((answer) => answer.outcome))).toEqual(new Set(['accepted']));
});

test('requests of the next turn go in the next batch', async () => {
  await stores.seed({ id: 'a', total: 10 });
  const batcher = new AdmissionBatcher(counted);
  const first = batcher.admit('a', ask('u1'));
  await new Promise(setImmediate);
  await Promise.all([first, batcher.admit('a', ask('u2'))]);
  expect(sizes).toEqual([
    ['a', 1],
    ['a', 1],
  ]);
});

test('a coupon that fails does not fail the others', async () => {
  await stores.seed({ id: 'a', total: 10 });
  await stores.seed({ id: 'b', total: 10 });
  await stores.redis.set('coupon_waiting_queue:b', 'not a queue');
  const batcher = new AdmissionBatcher(counted);
  const [a, b1, b2] = await Promise.allSettled([batcher.admit('a', ask('u')), batcher.admit('b', ask('u')), batcher.admit('b', ask('v'))]);
  expect(a).toMatchObject({ status: 'fulfilled', value: { outcome: 'accepted' } });
  expect(b1).toMatchObject({ status: 'rejected', reason: { code: 'KEY_WRONG_TYPE' } });
  expect(b2.status).toBe('rejected');
});
