import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { issueWaiting } from '../../support/issue.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
let endpoint: TestEndpoint;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
// The endpoint remembers lists and paces for a second; each test gets one that remembers nothing.
beforeEach(async () => {
  await stores.clear();
  endpoint = await openEndpoint(stores);
  return () => endpoint[Symbol.asyncDispose]();
});

const NOTHING_ISSUED = { issuedAt: null, expiresAt: null, usedAt: null, revokedAt: null };

describe('GET /coupons/:couponId/requests/:userId', () => {
  test('a waiting user has a position from 1, and no estimate while nothing is issued', async () => {
    await stores.seed({ id: '42' });
    const asked = await endpoint.ask('42', 'minji');
    await endpoint.ask('42', 'jisu');
    const { status, body } = await endpoint.get('/coupons/42/requests/jisu');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      couponId: '42',
      userId: 'jisu',
      state: 'waiting',
      position: 2,
      estimatedWaitSeconds: null,
      ...NOTHING_ISSUED,
    });
    const first = await endpoint.get('/coupons/42/requests/minji');
    expect(first.body).toMatchObject({ position: 1, requestedAt: asked.body['requestedAt'] });
  });

  test('the estimate is the position at the pace of the last minute', async () => {
    await stores.seed({ id: '42' });
    for (let i = 0; i < 40; i++) await endpoint.ask('42', `user-${i}`);
    await issueWaiting(stores, '42', 30);
    // 30 in a minute is one every 2 seconds; the tenth of those who wait has 20 seconds to go.
    expect((await endpoint.get('/coupons/42/requests/user-39')).body).toMatchObject({ position: 10, estimatedWaitSeconds: 20 });
  });

  test('many who wait and ask do not make the ledger count each time', async () => {
    await stores.seed({ id: '42' });
    for (let i = 0; i < 20; i++) await endpoint.ask('42', `user-${i}`);
    let counts = 0;
    const ledger = {
      ...stores.ledger,
      issuedSince: (couponId: string, since: Date) => {
        counts += 1;
        return stores.ledger.issuedSince(couponId, since);
      },
    };
    await using counted = await openEndpoint(stores, { ledger });
    await Promise.all(Array.from({ length: 20 }, (_, i) => counted.get(`/coupons/42/requests/user-${i}`)));
    expect(counts).toBeLessThan(10);
  });

  test('a claimed user is claimed, a dead one dead, and neither has a position', async () => {
    await stores.seed({ id: '42' });
    await endpoint.ask('42', 'minji');
    await endpoint.ask('42', 'jisu');
    const { epoch } = (await stores.ledger.coupon('42'))!;
    await stores.claims.claim('42', { epoch, limit: 1, leaseMs: 30_000, worker: 'w' });
    expect((await endpoint.get('/coupons/42/requests/minji')).body).toMatchObject({ state: 'claimed', position: null });
    await stores.redis.hset('coupon_dead:42', 'minji', 'poison');
    expect((await endpoint.get('/coupons/42/requests/minji')).body).toMatchObject({ state: 'dead', position: null });
  });

  test('an issued user sees when it was issued, until when it is good, and when it was used', async () => {
    await stores.seed({ id: '42', expiry: { kind: 'at', at: new Date('2999-12-31T00:00:00Z') } });
    const asked = await endpoint.ask('42', 'minji');
    await issueWaiting(stores, '42');
    const [row] = await stores.sql('SELECT issued_at FROM issued_coupons');
    const used = await endpoint.post('/coupons/42/issued/minji/use');
    expect((await endpoint.get('/coupons/42/requests/minji')).body).toEqual({
      couponId: '42',
      userId: 'minji',
      state: 'issued',
      requestedAt: asked.body['requestedAt'],
      position: null,
      estimatedWaitSeconds: null,
      issuedAt: (row!['issued_at'] as Date).toISOString(),
      expiresAt: '2999-12-31T00:00:00.000Z',
      usedAt: used.body['usedAt'],
      revokedAt: null,
    });
  });

  test('a user whose issued hash is gone is still issued: the ledger says so', async () => {
    await stores.seed({ id: '42' });
    await endpoint.ask('42', 'minji');
    await issueWaiting(stores, '42');
    await stores.redis.del('issued_coupon:coupon:42-user:minji');
    expect((await endpoint.get('/coupons/42/requests/minji')).body).toMatchObject({ state: 'issued', issuedAt: expect.any(String) });
  });

  test('a user that another service queued is waiting too', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.zadd('coupon_waiting_queue:42', 1_700_000_000, 'foreigner');
    expect((await endpoint.get('/coupons/42/requests/foreigner')).body).toMatchObject({
      state: 'waiting',
      requestedAt: '2023-11-14T22:13:20.000Z',
      position: 1,
    });
  });

  test('who never asked is 404, for a coupon that nobody knows with another code', async () => {
    await stores.seed({ id: '42' });
    expect(await endpoint.get('/coupons/42/requests/nobody')).toMatchObject({ status: 404, body: { code: 'not_requested' } });
    expect(await endpoint.get('/coupons/43/requests/nobody')).toMatchObject({ status: 404, body: { code: 'unknown_coupon' } });
  });

  test('a Redis that lost the coupon, or is suspected of it, does not tell users that they never asked', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.hset('coupon:42', 'suspect', 'fence');
    expect(await endpoint.get('/coupons/42/requests/minji')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    await stores.redis.flushdb();
    expect(await endpoint.get('/coupons/42/requests/minji')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
});

describe('GET /coupons/:couponId', () => {
  test('says what is left', async () => {
    await stores.seed({ id: '42', name: '여름맞이 쿠폰', total: 2, closesAt: new Date('2999-01-01T00:00:00Z') });
    await endpoint.ask('42', 'minji');
    expect((await endpoint.get('/coupons/42')).body).toEqual({
      couponId: '42',
      name: '여름맞이 쿠폰',
      state: 'open',
      accepting: true,
      total: 2,
      stock: 1,
      waiting: 1,
      claimed: 0,
      opensAt: null,
      closesAt: '2999-01-01T00:00:00.000Z',
    });
    await endpoint.ask('42', 'jisu');
    expect((await endpoint.get('/coupons/42')).body).toMatchObject({ accepting: false, stock: 0, waiting: 2 });
  });

  test('a coupon that is not open yet, or paused, or suspect, accepts nobody', async () => {
    await stores.seed({ id: 'later', opensAt: new Date('2999-01-01') });
    await stores.seed({ id: 'over', closesAt: new Date('2020-01-01') });
    await stores.seed({ id: 'paused' });
    await stores.redis.hset('coupon:paused', 'state', 'paused');
    await stores.seed({ id: 'suspect' });
    await stores.redis.hset('coupon:suspect', 'suspect', 'fence');
    for (const id of ['later', 'over', 'paused', 'suspect'])
      expect((await endpoint.get(`/coupons/${id}`)).body).toMatchObject({ accepting: false });
  });

  test('an unknown coupon is 404, one that only the ledger has 503', async () => {
    await stores.seed({ id: 'lost' });
    await stores.redis.flushdb();
    expect(await endpoint.get('/coupons/nothing')).toMatchObject({ status: 404, body: { code: 'unknown_coupon' } });
    expect(await endpoint.get('/coupons/lost')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
});

describe('POST /coupons/:couponId/issued/:userId/use', () => {
  const USE = '/coupons/42/issued/minji/use';
  const issueTo = async (userId: string, definition: Parameters<TestStores['seed']>[0]): Promise<void> => {
    await stores.seed(definition);
    await endpoint.ask('42', userId);
    await issueWaiting(stores, '42');
  };

  test('an issued coupon is used once, in both stores', async () => {
    await issueTo('minji', { id: '42' });
    const used = await endpoint.post(USE);
    expect(used).toMatchObject({ status: 200, body: { couponId: '42', userId: 'minji', usedAt: expect.any(String), repeated: false } });
    expect(await stores.redis.hget('issued_coupon:coupon:42-user:minji', 'used_at')).toBe(used.body['usedAt']);
    const again = await endpoint.post(USE);
    expect(again).toMatchObject({ status: 409, body: { code: 'already_used', usedAt: used.body['usedAt'] } });
  });

  test('the same Idempotency-Key may use it again and gets the same answer', async () => {
    await issueTo('minji', { id: '42' });
    const first = await endpoint.post(USE, undefined, { 'idempotency-key': 'order-1' });
    const again = await endpoint.post(USE, {}, { 'idempotency-key': 'order-1' });
    expect(again).toMatchObject({ status: 200, body: { usedAt: first.body['usedAt'], repeated: true } });
    expect((await endpoint.post(USE, undefined, { 'idempotency-key': 'order-2' })).status).toBe(409);
  });

  test('of twenty who use the same coupon at once, one succeeds', async () => {
    await issueTo('minji', { id: '42' });
    const replies = await Promise.all(Array.from({ length: 20 }, () => endpoint.post(USE)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect(replies.filter((reply) => reply.status === 409)).toHaveLength(19);
  });

  test('a client that sets the type of a body it does not send is understood', async () => {
    await issueTo('minji', { id: '42' });
    expect((await endpoint.post(USE, undefined, { 'content-type': 'application/json' })).status).toBe(200);
  });

  test('who waits, or never asked, has nothing to use', async () => {
    await stores.seed({ id: '42' });
    await endpoint.ask('42', 'minji');
    expect(await endpoint.post(USE)).toMatchObject({ status: 404, body: { code: 'not_issued' } });
    expect(await endpoint.post('/coupons/nothing/issued/minji/use')).toMatchObject({ status: 404, body: { code: 'not_issued' } });
  });

  test('an expired coupon is 410, a revoked one too', async () => {
    await issueTo('minji', { id: '42' });
    await stores.sql("UPDATE issued_coupons SET expires_at = '2020-01-01T00:00:00Z'");
    expect(await endpoint.post(USE)).toMatchObject({ status: 410, body: { code: 'expired', expiresAt: '2020-01-01T00:00:00.000Z' } });
    await stores.sql("UPDATE issued_coupons SET revoked_at = '2021-01-01T00:00:00Z'");
    expect(await endpoint.post(USE)).toMatchObject({ status: 410, body: { code: 'revoked', revokedAt: '2021-01-01T00:00:00.000Z' } });
  });
});
