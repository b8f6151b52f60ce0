import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sendWithRetry, submit, type Send, type SubmitOptions } from '../../src/operate/submit.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { noOutcomes } from '../../src/campaign/outcome.ts';
import { submitPlan } from '../../src/operate/submit-plan.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

/** Time that passes only when somebody sleeps. */
function handClock() {
  const clock = {
    ms: 0,
    now: () => clock.ms,
    sleep: async (ms: number) => {
      clock.ms += ms;
      await new Promise(setImmediate);
    },
  };
  return clock;
}

const options = (users: number, repeats: number, more: Partial<SubmitOptions> = {}): SubmitOptions => ({
  plan: submitPlan(users, repeats, (index) => `user-${index + 1}`),
  concurrency: 64,
  batch: 32,
  rate: null,
  newRequestId: randomUUID,
  ...more,
});
const never = new AbortController().signal;
const quiet = (): void => undefined;
const straight: Send = (requests) => stores.admission.admit('42', requests);
const answerAll =
  (outcome: 'accepted' | 'unsent'): Send =>
  async (requests) =>
    requests.map(() => ({ outcome }));

describe('submit', () => {
  test('300 users and half as many repeats on 100 coupons: 100 accepted, stock 0, nobody twice', async () => {
    await stores.seed({ id: '42', total: 100 });
    const result = await submit(straight, options(300, 0.5), handClock(), never, quiet);
    const { accepted, duplicate, sold_out: soldOut, ...others } = result.outcomes;
    expect(result.requests).toBe(450);
    expect(accepted).toBe(100);
    expect(accepted + duplicate + soldOut).toBe(450);
    expect(new Set(Object.values(others))).toEqual(new Set([0]));
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('0');
    expect(await stores.redis.zcard('coupon_waiting_queue:42')).toBe(100);
    expect(result.lost).toBeNull();
  });

  test('with stock for all, every repeat is a duplicate and every user waits once', async () => {
    await stores.seed({ id: '42', total: 500 });
    const { outcomes } = await submit(straight, options(200, 1), handClock(), never, quiet);
    expect(outcomes).toEqual({ ...noOutcomes(), accepted: 200, duplicate: 200 });
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('300');
  });

  test('never has more in flight than allowed, and no more in one send', async () => {
    let flying = 0;
    let most = 0;
    let largest = 0;
    const send: Send = async (requests) => {
      flying += requests.length;
      most = Math.max(most, flying);
      largest = Math.max(largest, requests.length);
      await new Promise(setImmediate);
      flying -= requests.length;
      return requests.map(() => ({ outcome: 'accepted' as const }));
    };
    await submit(send, options(1_000, 0, { concurrency: 20, batch: 8 }), handClock(), never, quiet);
    expect(most).toBe(20);
    expect(largest).toBe(8);
  });

  test('keeps to a rate', async () => {
    const clock = handClock();
    const sent: number[] = [];
    const send: Send = async (requests) => {
      for (const _ of requests) sent.push(clock.ms);
      return requests.map(() => ({ outcome: 'accepted' as const }));
    };
    const result = await submit(send, options(500, 0, { rate: 100 }), clock, never, quiet);
    for (const [i, ms] of sent.entries()) expect(i).toBeLessThanOrEqual(((ms + 10) / 1_000) * 100);
    expect(Math.round(result.seconds)).toBe(5);
  });

  test('after a stop the rest is unsent', async () => {
    const stop = new AbortController();
    const send: Send = async (requests) => {
      stop.abort();
      return requests.map(() => ({ outcome: 'accepted' as const }));
    };
    const { outcomes } = await submit(send, options(100, 0, { concurrency: 10, batch: 5 }), handClock(), stop.signal, quiet);
    expect(outcomes.accepted + outcomes.unsent).toBe(100);
    expect(outcomes.unsent).toBeGreaterThanOrEqual(90);
  });

  test('when nothing answers any more, what was in flight is unknown, the rest unsent, and the reason is kept', async () => {
    const down = new CouponError({ code: 'REDIS_DOWN', kind: 'unreachable', message: 'gone', fix: 'Wait.' });
    let sends = 0;
    const send: Send = async (requests) => {
      sends += 1;
      if (sends > 2) throw down;
      return requests.map(() => ({ outcome: 'accepted' as const }));
    };
    const { outcomes, lost } = await submit(send, options(100, 0, { concurrency: 10, batch: 10 }), handClock(), never, quiet);
    expect(lost).toBe(down);
    expect(outcomes).toEqual({ ...noOutcomes(), accepted: 20, unknown: 10, unsent: 70 });
  });

  test('a fault of our own is thrown, not counted', async () => {
    const send: Send = () => Promise.reject(new TypeError('a bug'));
    await expect(submit(send, options(3, 0), handClock(), never, quiet)).rejects.toThrow('a bug');
  });

  test('tells how far it is', async () => {
    const told: number[] = [];
    await submit(answerAll('accepted'), options(100, 0), handClock(), never, (sent) => told.push(sent));
    expect(told.at(-1)).toBe(100);
  });
});

describe('sendWithRetry', () => {
  const down = new CouponError({ code: 'REDIS_DOWN', kind: 'unreachable', message: 'gone', fix: 'Wait.' });

  test('asks again, with the same request ids, until an answer comes', async () => {
    await stores.seed({ id: '42', total: 10 });
    let tries = 0;
    const flaky: Send = async (requests) => {
      tries += 1;
      // The first time the requests arrive and only the answer is lost.
      const answers = await straight(requests);
      if (tries < 3) throw down;
      return answers;
    };
    const send = sendWithRetry(flaky, { clock: handClock(), stop: never, patienceMs: 5_000 });
    const { outcomes } = await submit(send, options(5, 0), handClock(), never, quiet);
    expect(outcomes.accepted).toBe(5);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('5');
  });

  test('does not take for a refusal what a Redis says that lost the request whose reply was lost', async () => {
    await stores.seed({ id: '42', total: 10 });
    const lost = new CouponError({ code: 'REDIS_REPLY_LOST', kind: 'unreachable', message: 'gone', fix: 'Wait.' });
    let isLost = false;
    const forgetful: Send = async (requests) => {
      const answers = await straight(requests);
      if (isLost) return answers;
      isLost = true;
      await stores.redis.hset('coupon:42', 'suspect', 'fence');
      await stores.redis.hdel('coupon_admitted:42', requests[0]!.userId);
      await stores.redis.zrem('coupon_waiting_queue:42', requests[0]!.userId);
      throw lost;
    };
    const send = sendWithRetry(forgetful, { clock: handClock(), stop: never, patienceMs: 5_000 });
    const { outcomes } = await submit(send, options(5, 0), handClock(), never, quiet);
    expect(outcomes).toMatchObject({ accepted: 4, unknown: 1, unavailable: 0 });
  });

  test('gives up when patience runs out, and at once after a stop', async () => {
    let tries = 0;
    const dead: Send = () => {
      tries += 1;
      return Promise.reject(down);
    };
    const clock = handClock();
    await expect(sendWithRetry(dead, { clock, stop: never, patienceMs: 1_000 })([])).rejects.toBe(down);
    expect(clock.ms).toBe(1_000);
    tries = 0;
    await expect(sendWithRetry(dead, { clock, stop: AbortSignal.abort(), patienceMs: 1_000 })([])).rejects.toBe(down);
    expect(tries).toBe(1);
  });

  test('what is not an outage is not repeated', async () => {
    const refused = new CouponError({ code: 'REDIS_REFUSED', kind: 'failure', message: 'no', fix: 'Wait.' });
    let tries = 0;
    const send: Send = () => {
      tries += 1;
      return Promise.reject(refused);
    };
    await expect(sendWithRetry(send, { clock: handClock(), stop: never, patienceMs: 1_000 })([])).rejects.toBe(refused);
    expect(tries).toBe(1);
  });
});
