import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { issueWaiting } from '../../support/issue.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
let endpoint: TestEndpoint;

beforeAll(async () => {
  stores = await openStores();
  endpoint = await openEndpoint(stores);
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});
beforeEach(() => stores.clear());

const stockOf = async (couponId: string): Promise<number> => Number(await stores.redis.hget(`coupon:${couponId}`, 'stock'));

describe('POST /coupons/:couponId/requests', () => {
  test('an accepted request is 202 with its state and time', async () => {
    await stores.seed({ id: '42', total: 3 });
    const reply = await endpoint.ask('42', 'minji');
    expect(reply.status).toBe(202);
    const [, score] = await stores.redis.zrange('coupon_waiting_queue:42', 0, '0', 'WITHSCORES').then((entries) => entries.flat());
    expect(reply.body).toEqual({
      couponId: '42',
      userId: 'minji',
      outcome: 'accepted',
      state: 'waiting',
      requestedAt: new Date(Number(score) / 1_000).toISOString(),
    });
    expect(await stockOf('42')).toBe(2);
  });

  test('a waiting user who asks again gets 409 and spends no stock', async () => {
    await stores.seed({ id: '42', total: 3 });
    const first = await endpoint.ask('42', 'minji');
    const again = await endpoint.ask('42', 'minji');
    expect(again.status).toBe(409);
    expect(again.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(again.body).toEqual({
      type: 'urn:problem-type:coupon-cli:duplicate',
      title: 'Already requested',
      status: 409,
      detail: 'This user has already asked for this coupon.',
      code: 'duplicate',
      state: 'waiting',
      requestedAt: first.body['requestedAt'],
    });
    expect(await stockOf('42')).toBe(2);
    expect(await stores.redis.zcard('coupon_waiting_queue:42')).toBe(1);
  });

  test('a user whose coupon was issued is told so', async () => {
    await stores.seed({ id: '42', total: 3 });
    await endpoint.ask('42', 'minji');
    await issueWaiting(stores, '42');
    expect((await endpoint.ask('42', 'minji')).body).toMatchObject({ code: 'duplicate', state: 'issued' });
  });

  test('the same Idempotency-Key is the same request and gets 202 again', async () => {
    await stores.seed({ id: '42', total: 3 });
    const first = await endpoint.ask('42', 'minji', 'key-1');
    const again = await endpoint.ask('42', 'minji', 'key-1');
    const other = await endpoint.ask('42', 'minji', 'key-2');
    expect([first.status, again.status, other.status]).toEqual([202, 202, 409]);
    expect(again.body).toEqual(first.body);
    expect(await stockOf('42')).toBe(2);
  });

  test('a key that another user chose too means nothing', async () => {
    await stores.seed({ id: '42', total: 3 });
    expect((await endpoint.ask('42', 'minji', 'key')).status).toBe(202);
    expect((await endpoint.ask('42', 'jisu', 'key')).status).toBe(202);
    expect(await stockOf('42')).toBe(1);
  });

  test('when the stock is gone, the next user gets 410', async () => {
    await stores.seed({ id: '42', total: 1 });
    await endpoint.ask('42', 'minji');
    const reply = await endpoint.ask('42', 'jisu');
    expect(reply.status).toBe(410);
    expect(reply.body).toMatchObject({ code: 'sold_out', status: 410, title: 'Sold out' });
  });

  test('before it opens, after it closes, and while it is paused, a coupon answers 403', async () => {
    await stores.seed({ id: 'later', opensAt: new Date('2999-01-01') });
    await stores.seed({ id: 'over', opensAt: new Date('2020-01-01'), closesAt: new Date('2020-01-02') });
    await stores.seed({ id: 'paused' });
    await stores.redis.hset('coupon:paused', 'state', 'paused');
    await stores.seed({ id: 'closed' });
    await stores.redis.hset('coupon:closed', 'state', 'closed', 'closed_ms', Date.UTC(2020, 0, 3));
    // Twice: from Redis, and from memory.
    for (let round = 0; round < 2; round++) {
      const replies = new Map(
        await Promise.all(['later', 'over', 'paused', 'closed'].map(async (id) => [id, await endpoint.ask(id, `u${round}`)] as const)),
      );
      const later = replies.get('later')!;
      expect(later).toMatchObject({ status: 403, body: { code: 'not_yet_open', opensAt: '2999-01-01T00:00:00.000Z' } });
      expect(Number(later.headers.get('retry-after'))).toBeGreaterThan(86_400 * 365);
      expect(replies.get('over')).toMatchObject({ status: 403, body: { code: 'closed', closedAt: '2020-01-02T00:00:00.000Z' } });
      expect(replies.get('closed')).toMatchObject({ status: 403, body: { code: 'closed', closedAt: '2020-01-03T00:00:00.000Z' } });
      expect(replies.get('paused')).toMatchObject({ status: 403, body: { code: 'not_open' } });
      for (const id of ['over', 'paused', 'closed']) expect(replies.get(id)!.headers.get('retry-after')).toBeNull();
      await sleep(300);
    }
  });

  test('a coupon that neither store has is 404', async () => {
    expect(await endpoint.ask('nothing', 'minji')).toMatchObject({ status: 404, body: { code: 'unknown_coupon' } });
  });

  test('a coupon that only the ledger has is 503: Redis lost it, and users must not be sent away for good', async () => {
    await stores.seed({ id: 'lost' });
    await stores.redis.flushdb();
    // The list of coupons that answers this is read once a second at most; another server has not read it yet.
    await using fresh = await openEndpoint(stores);
    const reply = await fresh.ask('lost', 'minji');
    expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(reply.headers.get('retry-after')).toBe('1');
  });

  test('a suspect coupon is 503 with Retry-After, and takes nobody in', async () => {
    await stores.seed({ id: '42', total: 3 });
    await stores.redis.hset('coupon:42', 'suspect', 'fence');
    const reply = await endpoint.ask('42', 'minji');
    expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(await stockOf('42')).toBe(3);
  });

  test('after a restart of Redis the first request has the coupon checked against the ledger, and is accepted', async () => {
    await stores.seed({ id: '43', total: 3 });
    await stores.redis.hset('coupon:43', 'run', 'the server before');
    expect((await endpoint.ask('43', 'minji')).status).toBe(202);
    expect(await stores.redis.hget('coupon:43', 'run')).toBe(stores.connection.runOf(''));
  });

  test('a key of the wrong type in Redis is 503, nothing of it is told, and the operator hears of it', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.set('coupon_waiting_queue:42', 'not a queue');
    const reply = await endpoint.ask('42', 'minji');
    expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(reply.text).not.toMatch(/redis|wrongtype|127\.0\.0\.1/i);
    expect(endpoint.faults.at(-1)).toMatchObject({ code: 'KEY_WRONG_TYPE' });
  });

  test('a thousand users at once on a hundred coupons: a hundred are accepted, each once', async () => {
    await stores.seed({ id: '42', total: 100 });
    const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => endpoint.ask('42', `user-${i % 500}`)));
    const accepted = replies.filter((reply) => reply.status === 202).map((reply) => reply.body['userId']);
    expect(accepted).toHaveLength(100);
    expect(new Set(accepted).size).toBe(100);
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([202, 409, 410]));
    expect(await stockOf('42')).toBe(0);
    expect(await stores.redis.zcard('coupon_waiting_queue:42')).toBe(100);
  });
});
