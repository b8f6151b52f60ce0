import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdmissionBatcher } from '../../src/admission/batcher.ts';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

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

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
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

test('Redis is asked about the first while the sockets of the turn are still read', async () => {
  await stores.seed({ id: 'a', total: 1_000 });
  const batcher = new AdmissionBatcher(counted);
  const asked = Array.from({ length: 63 }, (_, i) => batcher.admit('a', ask(`u${i}`)));
  expect(sizes).toEqual([['a', 32]]);
  await Promise.all(asked);
  expect(sizes).toEqual([
    ['a', 32],
    ['a', 31],
  ]);
});

test('a batch holds no more than one script run, so that it is answered or fails as a whole', async () => {
  await stores.seed({ id: 'a', total: 1_000 });
  const batcher = new AdmissionBatcher(counted);
  const answers = await Promise.all(Array.from({ length: 600 }, (_, i) => batcher.admit('a', ask(`u${i}`))));
  // Three that were full in the middle of the turn, and all that came behind them.
  expect(sizes.map(([, size]) => size)).toEqual([32, 32, 32, 256, 248]);
  expect(new Set(answers.map((answer) => answer.outcome))).toEqual(new Set(['accepted']));
});

test('what arrives while three batches of the coupon are under way goes in the next one, and other coupons do not wait', async () => {
  await stores.seed({ id: 'a', total: 10 });
  await stores.seed({ id: 'b', total: 10 });
  const held: (() => void)[] = [];
  const batcher = new AdmissionBatcher({
    admit: async (couponId, requests) => {
      const answers = await counted.admit(couponId, requests);
      if (couponId === 'a') await new Promise<void>((resolve) => held.push(resolve));
      return answers;
    },
  });
  const asked: Promise<unknown>[] = [];
  for (const user of ['u1', 'u2', 'u3']) {
    asked.push(batcher.admit('a', ask(user)));
    await turn();
  }
  asked.push(batcher.admit('a', ask('u4')));
  await batcher.admit('b', ask('u1'));
  asked.push(batcher.admit('a', ask('u5')));
  await until(() => held.length === 3);
  expect(sizes).toEqual([
    ['a', 1],
    ['a', 1],
    ['a', 1],
    ['b', 1],
  ]);
  held.pop()!();
  await until(() => held.length === 3);
  for (const release of held) release();
  await Promise.all(asked);
  expect(sizes.slice(4)).toEqual([['a', 2]]);
});

describe('behind a Redis that does not answer', () => {
  test('no more than so many are under way, the others are refused unsent after a second, and all goes on with the first answer', async () => {
    const held: (() => void)[] = [];
    const batcher = new AdmissionBatcher(
      {
        admit: async (couponId, requests) => {
          sizes.push([couponId, requests.length]);
          await new Promise<void>((resolve) => held.push(resolve));
          return stores.admission.admit(couponId, requests);
        },
      },
      3,
    );
    await stores.seed({ id: 'a', total: 10 });
    await stores.seed({ id: 'b', total: 10 });
    const sent = Array.from({ length: 3 }, (_, i) => batcher.admit('a', ask(`u${i}`)));
    const late = [...Array.from({ length: 3 }, (_, i) => batcher.admit('a', ask(`late-${i}`))), batcher.admit('b', ask('late'))];
    expect((await Promise.allSettled(late)).map((one) => one.status === 'rejected' && one.reason)).toEqual(
      late.map(() => expect.objectContaining({ code: 'OVERLOADED', kind: 'unreachable' })),
    );
    expect(sizes).toEqual([['a', 3]]);
    const next = [batcher.admit('a', ask('next')), batcher.admit('b', ask('next'))];
    held.pop()!();
    expect((await Promise.all(sent)).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    await until(() => held.length === 2);
    for (const release of held.splice(0)) release();
    expect((await Promise.all(next)).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
  });

  test('a coupon with a long queue does not keep the others out', async () => {
    const held: (() => void)[] = [];
    const batcher = new AdmissionBatcher(
      {
        admit: async (couponId, requests) => {
          sizes.push([couponId, requests.length]);
          await new Promise<void>((resolve) => held.push(resolve));
          return requests.map(() => ({ outcome: 'sold_out' }));
        },
      },
      2,
    );
    const many = Array.from({ length: 8 }, (_, i) => batcher.admit('a', ask(`u${i}`)));
    await turn();
    const other = batcher.admit('b', ask('u'));
    const answered = { yet: false };
    void other.then(() => (answered.yet = true));
    for (let released = 0; !answered.yet; released += 1) {
      expect(released).toBeLessThan(3);
      await until(() => held.length > 0);
      held.shift()!();
      await turn();
      await turn();
    }
    await until(async () => {
      for (const release of held.splice(0)) release();
      return (await Promise.race([Promise.all(many), turn()])) !== undefined;
    });
  });
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
