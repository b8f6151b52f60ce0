import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisDead } from '../../../src/stores/redis/dead.ts';
import { redisRefusals } from '../../../src/stores/redis/refusals.ts';
import { issueWaiting } from '../../support/issue.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

describe('a coupon whose record of who was accepted is lost', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 10 });
  });

  const admit = async (userId: string) => (await stores.admission.admit('42', [{ userId, requestId: 'r' }]))[0]!.outcome;
  const claim = async (limit = 10) => {
    const { epoch } = (await stores.ledger.coupon('42'))!;
    return stores.claims.claim('42', { epoch, limit, leaseMs: 60_000, worker: 'w' });
  };
  const suspect = () => stores.redis.hget('coupon:42', 'suspect');
  const issueKim = async (): Promise<void> => {
    await admit('kim');
    await issueWaiting(stores, '42');
  };

  it('accepts no issued user once more whose hash is gone as well, and spends no stock', async () => {
    await issueKim();
    await stores.redis.del('coupon_admitted:42', 'issued_coupon:coupon:42-user:kim');
    expect(await admit('kim')).toBe('unavailable');
    expect(await admit('lee')).toBe('unavailable');
    expect(await stores.redis.hmget('coupon:42', 'stock', 'suspect')).toEqual(['9', 'admitted']);
    expect(await stores.redis.exists('coupon_waiting_queue:42', 'coupon_admitted:42')).toBe(0);
  });

  it('accepts no claimed user once more', async () => {
    await admit('kim');
    await claim();
    await stores.redis.del('coupon_admitted:42');
    expect(await admit('kim')).toBe('unavailable');
    expect(await suspect()).toBe('admitted');
  });

  it('accepts no dead-lettered user once more', async () => {
    await stores.redis.zadd('coupon_waiting_queue:42', 1, 'a b');
    await claim();
    await stores.redis.del('coupon_admitted:42');
    expect(await admit('kim')).toBe('unavailable');
    expect(await suspect()).toBe('admitted');
  });

  it('is not hidden by a claim, which would begin the record anew', async () => {
    await issueKim();
    await admit('lee');
    await stores.redis.del('coupon_admitted:42', 'issued_coupon:coupon:42-user:kim');
    expect(await claim()).toMatchObject({ status: 'suspect', reason: 'admitted' });
    expect(await stores.redis.exists('coupon_admitted:42')).toBe(0);
    expect(await admit('kim')).toBe('unavailable');
  });

  it('answers who is still known, and keeps an earlier reason', async () => {
    await issueKim();
    await admit('lee');
    await stores.redis.hset('coupon:42', 'suspect', 'fence');
    await stores.redis.del('coupon_admitted:42');
    expect([await admit('kim'), await admit('lee'), await admit('park')]).toEqual(['duplicate', 'duplicate', 'unavailable']);
    expect(await suspect()).toBe('fence');
  });

  it('is not sold out from memory', async () => {
    const refusal = async () => (await redisRefusals(stores.connection, 'plain').refusal('42')).outcome;
    for (let user = 1; user <= 10; user += 1) await admit(`u${user}`);
    await issueWaiting(stores, '42');
    expect(await refusal()).toBe('sold_out');
    await stores.redis.del('coupon_admitted:42');
    expect(await refusal()).not.toBe('sold_out');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['nobody has asked', async () => undefined],
    [
      'the only user was set aside and dropped',
      async () => {
        const { epoch } = (await stores.ledger.coupon('42'))!;
        await stores.redis.zadd('coupon_waiting_queue:42', 1, 'a b');
        await stores.redis.hincrby('coupon:42', 'stock', -1);
        await claim();
        await redisDead(stores.connection, 'plain').drop('42', epoch, ['a b']);
        expect(await stores.redis.exists('coupon_admitted:42')).toBe(0);
      },
    ],
    ['another service has spent a coupon, and not queued its user yet', async () => stores.redis.hincrby('coupon:42', 'stock', -1)],
    [
      'another service has queued users whom nobody has claimed yet',
      async () => {
        await stores.redis.hincrby('coupon:42', 'stock', -1);
        await stores.redis.zadd('coupon_waiting_queue:42', Date.now(), 'park');
      },
    ],
    [
      'the coupon was issued, and is seeded anew',
      async () => {
        await issueKim();
        await stores.clear();
        await stores.seed({ id: '42', total: 10 });
      },
    ],
  ])('is not suspected where %s', async (_name, happens) => {
    await happens();
    expect(await admit('new')).toBe('accepted');
    expect(await suspect()).toBe('');
  });
});
