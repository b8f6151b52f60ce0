import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStores, type TestStores } from '../../support/stores.ts';

const requests = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ userId: `user-${from + i}`, requestId: `r-${from + i}` }));

describe('admission', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());
  const verify = async () => stores.coupons.verify('42', (await stores.ledger.coupon('42'))!);

  it('gives rising microsecond scores in order of arrival, also within one batch', async () => {
    await stores.seed({ id: '42', total: 1_000 });
    const answers = await stores.admission.admit('42', requests(1, 600));
    const scores = answers.map((answer) => answer.firstRequestUs!);
    expect(new Set(scores).size).toBe(600);
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(await stores.redis.zrange('coupon_waiting_queue:42', '0', '-1')).toEqual(requests(1, 600).map((request) => request.userId));
    const [seconds] = await stores.redis.time();
    expect(Math.abs(scores[0]! / 1e6 - Number(seconds))).toBeLessThan(60);
  });

  it('keeps scores rising when the clock of the server stands behind', async () => {
    await stores.seed({ id: '42' });
    const future = 4_000_000_000_000_000;
    await stores.redis.hset('coupon:42', 'last_us', String(future));
    const [answer] = await stores.admission.admit('42', requests(1, 1));
    expect(answer!.firstRequestUs).toBe(future + 1);
  });

  it('never goes below zero, and tells the rest that it is sold out', async () => {
    await stores.seed({ id: '42', total: 3 });
    const answers = await stores.admission.admit('42', requests(1, 10));
    expect(answers.map((answer) => answer.outcome)).toEqual([...Array(3).fill('accepted'), ...Array(7).fill('sold_out')]);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('0');
  });

  it('does not spend stock on a waiting user who asks again', async () => {
    await stores.seed({ id: '42', total: 3 });
    await stores.admission.admit('42', [{ userId: 'kim', requestId: 'a' }]);
    const again = await stores.admission.admit('42', [
      { userId: 'kim', requestId: 'b' },
      { userId: 'kim', requestId: 'a' },
    ]);
    expect(again.map((answer) => answer.outcome)).toEqual(['duplicate', 'accepted']);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('2');
  });

  it('opens with opens_at included and closes with closes_at excluded, by the clock of Redis', async () => {
    await stores.seed({ id: '42' });
    const windows: [string, string, string][] = [
      ['2000-01-01T00:00:00.000Z', '2000-02-29T23:59:59.999Z', 'closed'],
      ['2000-02-29T00:00:00.000Z', '2999-12-31T00:00:00.000Z', 'accepted'],
      ['2999-01-01T00:00:00.000Z', '', 'not_yet_open'],
      ['', '', 'accepted'],
      ['yesterday', '', 'unavailable'],
    ];
    for (const [i, [opens, closes, outcome]] of windows.entries()) {
      await stores.redis.hset('coupon:42', 'opens_at', opens, 'closes_at', closes);
      await verify();
      const [answer] = await stores.admission.admit('42', [{ userId: `u${i}`, requestId: 'r' }]);
      expect([opens, closes, answer!.outcome]).toEqual([opens, closes, outcome]);
    }
  });

  it('reads the window as the calendar does, leap years included', async () => {
    await stores.seed({ id: '42' });
    const [seconds, micros] = (await stores.redis.time()).map(Number) as [number, number];
    const nowMs = seconds * 1_000 + Math.floor(micros / 1_000);
    for (const [i, [offset, outcome]] of [
      [-5_000, 'accepted'],
      [60_000, 'not_yet_open'],
    ].entries() as Iterable<[number, [number, string]]>) {
      await stores.redis.hset('coupon:42', 'opens_at', new Date(nowMs + offset).toISOString());
      await verify();
      const [answer] = await stores.admission.admit('42', [{ userId: `u${i}`, requestId: 'r' }]);
      expect(answer!.outcome).toBe(outcome);
    }
  });

  it('takes nobody by a window that another program wrote, until it is verified; one from before there was a window in milliseconds is the same', async () => {
    await stores.seed({ id: '42', total: 3 });
    const ask = async (userId: string) => (await stores.admission.admit('42', [{ userId, requestId: 'r' }]))[0]!.outcome;
    await stores.redis.hset('coupon:42', 'closes_at', '2999-01-01T00:00:00+09:00');
    expect(await ask('kim')).toBe('unavailable');
    await verify();
    expect(await ask('kim')).toBe('accepted');
    expect(await stores.redis.hmget('coupon:42', 'opens_ms', 'closes_ms')).toEqual(['0', String(Date.UTC(2998, 11, 31, 15))]);
    await stores.redis.hdel('coupon:42', 'window', 'opens_ms', 'closes_ms');
    expect(await ask('lee')).toBe('unavailable');
    await verify();
    expect(await ask('lee')).toBe('accepted');
    await stores.redis.hset('coupon:42', 'closes_at', 'never');
    await verify();
    expect([await ask('park'), await stores.redis.hexists('coupon:42', 'opens_ms')]).toEqual(['unavailable', 0]);
  });

  it('writes nothing when a key has the wrong type', async () => {
    await stores.seed({ id: '42', total: 3 });
    await stores.redis.set('coupon_waiting_queue:42', 'not a queue');
    await expect(stores.admission.admit('42', requests(1, 2))).rejects.toMatchObject({
      code: 'KEY_WRONG_TYPE',
      message: 'found string, expected zset at coupon_waiting_queue:42',
    });
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('3');
    expect(await stores.redis.exists('coupon_admitted:42')).toBe(0);
  });

  it('spells keys with hash tags when asked to', async () => {
    await using tagged = await openStores({ keyStyle: 'hash-tag' });
    await tagged.seed({ id: '42' });
    await tagged.admission.admit('42', requests(1, 1));
    expect((await tagged.redis.keys('*')).toSorted()).toEqual([
      'coupon:{42}',
      'coupon_admitted:{42}',
      'coupon_index',
      'coupon_life:{42}',
      'coupon_waiting_queue:{42}',
    ]);
  });
});
