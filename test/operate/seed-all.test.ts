import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seedAll, type SeedPorts } from '../../src/operate/seed.ts';
import { planSeeds } from '../../src/operate/seed-plan.ts';
import type { CouponDefinition } from '../../src/campaign/coupon.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { openStores, type TestStores } from '../support/stores.ts';

const coupon = (id: string, total = 10): CouponDefinition => ({
  id,
  name: `Coupon ${id}`,
  total,
  opensAt: null,
  closesAt: null,
  expiry: { kind: 'never' },
});
const file = [coupon('c'), coupon('a'), coupon('b')];

describe('seeding a file', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(() => stores.clear());

  const ports = (over: { coupons?: object; ledger?: object } = {}): SeedPorts => ({
    ledger: { ...stores.ledger, ...over.ledger },
    coupons: { ...stores.coupons, ...over.coupons },
    newEpoch: randomUUID,
    keyStyle: 'plain',
  });
  const everything = async () => ({
    keys: (await stores.redis.keys('*')).toSorted(),
    rows: await stores.sql('SELECT id, total_quantity, state FROM coupons ORDER BY id'),
  });

  it.each([
    ['a coupon with other values', () => stores.seed({ id: 'a', name: 'Coupon a', total: 7 }), 'SEED_CONFLICT'],
    ['a coupon of another service', () => stores.redis.hset('coupon:a', 'name', 'theirs', 'stock', 5), 'REDIS_KEYS_TAKEN'],
    ['a coupon of another service under a key of another type', () => stores.redis.set('coupon:a', 'theirs'), 'REDIS_KEYS_TAKEN'],
    ['a queue of another service', () => stores.redis.zadd('coupon_waiting_queue:b', 1, 'theirs'), 'REDIS_KEYS_TAKEN'],
    ['admissions of another service', () => stores.redis.hset('coupon_admitted:b', 'u', '1:r'), 'REDIS_KEYS_TAKEN'],
    [
      'a coupon that Redis lost',
      async () => {
        await stores.seed(coupon('b'));
        await stores.redis.del('coupon:b');
      },
      'COUPON_NOT_IN_REDIS',
    ],
    ['a rule of the database', () => stores.sql("ALTER TABLE coupons ADD CONSTRAINT no_b CHECK (id <> 'b')"), 'DATABASE_REFUSED'],
  ])('that meets %s changes nothing in either store', async (_name, prepare, code) => {
    try {
      await prepare();
      const before = await everything();
      await expect(seedAll(file, ports())).rejects.toMatchObject({ code });
      expect(await everything()).toEqual(before);
      expect((await planSeeds(file, ports())).filter((plan) => plan.problem !== null)).toHaveLength(1);
      expect(await everything()).toEqual(before);
    } finally {
      await stores.sql('ALTER TABLE coupons DROP CONSTRAINT IF EXISTS no_b');
    }
  });

  it('names every coupon that stands in the way', async () => {
    await stores.redis.hset('coupon:a', 'name', 'theirs');
    await stores.seed({ id: 'b', name: 'Coupon b', total: 7 });
    const refused = await seedAll(file, ports()).catch((error: CouponError) => error);
    expect(refused).toMatchObject({ kind: 'usage', message: '2 of 3 coupons cannot be seeded; none of them was touched' });
    expect((refused as CouponError).why).toMatch(/coupon:a[^]*coupon b is already seeded[^]*stock: 7 there, 10 asked for/);
  });

  const steps = ['startSeeding', 'index', 'seed', 'finishSeeding'] as const;
  const killedAt = steps.flatMap((step) => [1, 2, 3].flatMap((nth) => [[step, 'before', nth] as const, [step, 'after', nth] as const]));
  it.each(killedAt)('that was killed at %s (%s it, coupon %i) is finished by the same command', async (step, when, nth) => {
    let calls = 0;
    const killed = (store: object) => {
      const method = (store as Record<string, (...args: unknown[]) => Promise<unknown>>)[step]!;
      return {
        [step]: async (...args: unknown[]) => {
          calls += 1;
          if (calls === nth && when === 'before') throw new Error('killed');
          const answer = await method(...args);
          if (calls === nth) throw new Error('killed');
          return answer;
        },
      };
    };
    const over = step === 'index' || step === 'seed' ? { coupons: killed(stores.coupons) } : { ledger: killed(stores.ledger) };
    await expect(seedAll(file, ports(over))).rejects.toThrow('killed');
    const planned = (await planSeeds(file, ports())).map((plan) => plan.action);
    const outcomes = await seedAll(file, ports());
    expect(outcomes).toEqual(
      planned.map((action) => ({ create: 'created', finish: 'finished', unchanged: 'unchanged' })[action as 'create']),
    );
    expect(await seedAll(file, ports())).toEqual(['unchanged', 'unchanged', 'unchanged']);
    for (const { id } of file) {
      expect(await stores.redis.hmget(`coupon:${id}`, 'stock', 'epoch')).toEqual(['10', (await stores.ledger.coupon(id))!.epoch]);
      expect((await stores.ledger.coupon(id))!.state).toBe('ready');
    }
    expect((await stores.redis.smembers('coupon_index')).toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('that Redis refuses between check and write leaves no row and no place in the index', async () => {
    const late = {
      seed: async (...args: Parameters<typeof stores.coupons.seed>) => {
        await stores.redis.hset('coupon:c', 'name', 'theirs');
        return stores.coupons.seed(...args);
      },
    };
    await expect(seedAll([coupon('c')], ports({ coupons: late }))).rejects.toMatchObject({ code: 'REDIS_KEYS_TAKEN', kind: 'usage' });
    expect(await everything()).toEqual({ keys: ['coupon:c'], rows: [] });
  });

  it('that is overtaken in the middle says what was written, not "nothing was changed"', async () => {
    let calls = 0;
    const late = {
      index: async (id: string) => {
        calls += 1;
        if (calls === 2) await stores.redis.hset('coupon:a', 'name', 'theirs');
        return stores.coupons.index(id);
      },
    };
    await expect(seedAll(file, ports({ coupons: late }))).rejects.toMatchObject({
      code: 'SEED_INCOMPLETE',
      kind: 'failure',
      message: expect.stringContaining('1 of 3 coupons were seeded, then: Redis already has a coupon:a'),
    });
    expect((await everything()).rows).toEqual([{ id: 'c', total_quantity: 10, state: 'ready' }]);
    await stores.redis.del('coupon:a');
    expect(await seedAll(file, ports())).toEqual(['unchanged', 'created', 'created']);
  });

  it('a row that another run took back under our hands returns with the epoch that Redis holds', async () => {
    let calls = 0;
    const taken = {
      finishSeeding: async (id: string, epoch: string) => {
        calls += 1;
        if (calls === 1) await stores.ledger.undoSeeding(id, epoch);
        return stores.ledger.finishSeeding(id, epoch);
      },
    };
    await seedAll([coupon('c')], ports({ ledger: taken }));
    expect(await stores.ledger.coupon('c')).toMatchObject({ state: 'ready', epoch: await stores.redis.hget('coupon:c', 'epoch') });
  });

  it('by two at once is done once', async () => {
    const both = await Promise.all([seedAll(file, ports()), seedAll(file.toReversed(), ports())]);
    expect(both.flat().filter((outcome) => outcome === 'created').length).toBeLessThanOrEqual(3);
    for (const { id } of file) {
      expect(await stores.ledger.coupon(id)).toMatchObject({ state: 'ready', epoch: await stores.redis.hget(`coupon:${id}`, 'epoch') });
    }
  });
});
