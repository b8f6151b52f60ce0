import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdmissionAnswer } from '../../../src/campaign/admission.ts';
import { admitOne, type AdmissionState } from '../../model/admit-one.ts';
import { settingFields } from '../../../src/stores/redis/coupons.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const EPOCH = '00000000-0000-4000-8000-000000000001';
const USERS = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];
const KEYS = { coupon: 'coupon:c', queue: 'coupon_waiting_queue:c', leases: 'coupon_leases:c', dead: 'coupon_dead:c' };

type Step =
  | { kind: 'admit'; requests: { userId: string; requestId: string }[] }
  | { kind: 'foreign'; userId: string }
  | { kind: 'issue'; userId: string }
  | { kind: 'claim'; userId: string }
  | { kind: 'bury'; userId: string }
  | { kind: 'state'; state: 'open' | 'paused' | 'closed' }
  | { kind: 'window'; opensInMs: number | null; closesInMs: number | null }
  | { kind: 'suspect'; on: boolean }
  | { kind: 'restart' }
  | { kind: 'stock'; stock: number | null };

const DEFINITION = { id: 'c', name: 'Model', total: 0, opensAt: null, closesAt: null, expiry: { kind: 'never' as const } };

const user = fc.constantFrom(...USERS);
const hour = fc.constantFrom(-3_600_000, 3_600_000);
const admit = fc.record({
  kind: fc.constant('admit' as const),
  requests: fc.array(fc.record({ userId: user, requestId: fc.constantFrom('r1', 'r2', 'r:3') }), { minLength: 1, maxLength: 8 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: admit },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('foreign', 'issue', 'claim', 'bury'), userId: user }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('state' as const),
      state: fc.constantFrom('open', 'open', 'paused', 'closed'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('window' as const), opensInMs: fc.option(hour), closesInMs: fc.option(hour) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('suspect' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stock' as const), stock: fc.option(fc.integer({ min: -1, max: 3 })) }) },
);

/** Scores come from the server's clock; everything else of an answer must be equal. */
function comparable(answers: AdmissionAnswer[], scores: Map<string, number>, requests: { userId: string }[]): unknown[] {
  return answers.map((answer, i) => {
    const { firstRequestUs, ...rest } = answer;
    if (firstRequestUs === undefined) return rest;
    const userId = requests[i]!.userId;
    const first = scores.get(userId) ?? firstRequestUs;
    scores.set(userId, first);
    return { ...rest, sameTime: first === firstRequestUs };
  });
}

describe('admit.lua and the reference model', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  async function apply(change: Exclude<Step, { kind: 'admit' }>, model: AdmissionState): Promise<void> {
    const { redis } = stores;
    const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
    switch (change.kind) {
      case 'foreign':
        // What another service does: ZADD NX with a time in milliseconds.
        await redis.zadd(KEYS.queue, 'NX', 1_795_330_311_082, change.userId);
        if (!model.waiting.has(change.userId)) model.waiting.set(change.userId, 1_795_330_311_082);
        break;
      case 'issue':
        await redis.hset(`issued_coupon:coupon:c-user:${change.userId}`, 'userId', change.userId);
        model.issued.add(change.userId);
        break;
      case 'claim':
        await redis.multi().zrem(KEYS.queue, change.userId).zadd(KEYS.leases, 1, change.userId).exec();
        model.waiting.delete(change.userId);
        model.claimed.add(change.userId);
        break;
      case 'bury':
        await redis.hset(KEYS.dead, change.userId, 'test');
        model.dead.add(change.userId);
        break;
      case 'state':
        await redis.hset(KEYS.coupon, 'state', change.state);
        model.state = change.state;
        break;
      case 'window':
        model.opensAtMs = change.opensInMs === null ? null : Date.now() + change.opensInMs;
        model.closesAtMs = change.closesInMs === null ? null : Date.now() + change.closesInMs;
        await redis.hset(KEYS.coupon, settingFields({ ...DEFINITION, opensAt: date(model.opensAtMs), closesAt: date(model.closesAtMs) }));
        break;
      case 'suspect':
        await redis.hset(KEYS.coupon, 'suspect', change.on ? 'fence' : '');
        model.trusted = !change.on && (await redis.hget(KEYS.coupon, 'run')) !== 'another-server';
        break;
      case 'restart':
        await redis.hset(KEYS.coupon, 'run', 'another-server');
        model.trusted = false;
        break;
      case 'stock':
        await (change.stock === null ? redis.hdel(KEYS.coupon, 'stock') : redis.hset(KEYS.coupon, 'stock', change.stock));
        model.stock = change.stock;
        break;
    }
  }

  async function stored(): Promise<unknown> {
    const { redis } = stores;
    const admitted = Object.entries(await redis.hgetall('coupon_admitted:c'));
    return {
      stock: await redis.hget(KEYS.coupon, 'stock'),
      waiting: (await redis.zrange(KEYS.queue, 0, '-1')).toSorted(),
      admitted: admitted.map(([userId, record]) => [userId, record.replace(/^[^:]*:/, '')]).toSorted(),
    };
  }

  it('agree on every answer and on what is stored, over random histories', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.integer({ min: 0, max: 4 }), async (steps, total) => {
        await stores.redis.flushdb();
        await stores.coupons.seed({ ...DEFINITION, total }, { epoch: EPOCH, version: 1 });
        const model: AdmissionState = {
          stock: total,
          state: 'open',
          opensAtMs: null,
          closesAtMs: null,
          trusted: true,
          lastUs: 0,
          admitted: new Map(),
          waiting: new Map(),
          claimed: new Set(),
          dead: new Set(),
          issued: new Set(),
        };
        const times = { real: new Map<string, number>(), model: new Map<string, number>() };
        for (const one of steps) {
          if (one.kind !== 'admit') {
            await apply(one, model);
            continue;
          }
          const real = await stores.admission.admit('c', one.requests);
          const expected = one.requests.map((request) => admitOne(model, request, Date.now() * 1_000));
          expect(comparable(real, times.real, one.requests)).toEqual(comparable(expected, times.model, one.requests));
        }
        expect(await stored()).toEqual({
          stock: model.stock === null ? null : String(model.stock),
          waiting: [...model.waiting.keys()].toSorted(),
          admitted: [...model.admitted].map(([userId, { requestId }]) => [userId, requestId]).toSorted(),
        });
      }),
      { numRuns: 300 },
    );
  });

  it('agree that an unseeded coupon is unknown', async () => {
    await stores.redis.flushdb();
    const request = { userId: 'u1', requestId: 'r1' };
    expect(await stores.admission.admit('c', [request])).toEqual([admitOne(null, request, 0)]);
  });
});
