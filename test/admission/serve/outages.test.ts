import { postgresLedger } from '../../../src/stores/postgres/ledger.ts';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Admission } from '../../../src/campaign/ports/admission.ts';
import { seed } from '../../../src/operate/seed.ts';
import { Closers } from '../../../src/lib/closers.ts';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { ledgerHealth } from '../../../src/stores/postgres/health.ts';
import { redisAdmission } from '../../../src/stores/redis/admission.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../../src/stores/redis/coupons.ts';
import { redisHealth } from '../../../src/stores/redis/connection/health.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { extraRedis } from '../../support/extra-redis.ts';
import { openEndpoint } from '../../support/endpoint.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { openProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** The endpoint with its Redis, or its ledger, behind a link that can be cut. */
async function openBehindProxy(what: 'redis' | 'ledger') {
  const open = new Closers();
  const proxy = await openProxy(what === 'redis' ? stores.redisUrl : stores.databaseUrl);
  open.add(() => proxy[Symbol.asyncDispose]());
  if (what === 'redis') {
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
    open.add(() => connection.close());
    const ports = {
      admission: redisAdmission(connection, 'plain'),
      coupons: redisCoupons(connection, 'plain'),
      reader: redisReader(connection, 'plain'),
      health: { ...stores.health, redis: redisHealth(connection) },
    };
    const endpoint = await openEndpoint(stores, ports);
    open.add(() => endpoint[Symbol.asyncDispose]());
    return { proxy, endpoint, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
  }
  const database = new Database(proxy.through(stores.databaseUrl));
  open.add(() => database.close());
  const ledger = postgresLedger(database);
  const endpoint = await openEndpoint(stores, { ledger, health: { ...stores.health, ledger: ledgerHealth(database) } });
  open.add(() => endpoint[Symbol.asyncDispose]());
  return { proxy, endpoint, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

describe('without Redis', () => {
  test('requests, statuses and coupons are 503 with Retry-After, nothing is told of the store, and all comes back with it', async () => {
    await stores.seed({ id: 'away', total: 5 });
    await using link = await openBehindProxy('redis');
    const { proxy, endpoint } = link;
    await proxy.cut();
    for (const reply of [
      await endpoint.ask('away', 'minji'),
      await endpoint.get('/coupons/away/requests/minji'),
      await endpoint.get('/coupons/away'),
      await endpoint.get('/readyz'),
    ]) {
      expect(reply).toMatchObject({ status: 503, body: { status: 503 } });
      expect(reply.headers.get('retry-after')).toBe('1');
      expect(reply.text).not.toMatch(/127\.0\.0\.1|ECONN|ioredis|:\/\//i);
    }
    expect((await endpoint.ask('away', 'minji')).body).toMatchObject({ code: 'unavailable' });
    expect((await endpoint.get('/readyz')).body).toMatchObject({ redis: 'down', ledger: 'up' });
    expect((await endpoint.get('/livez')).status).toBe(200);
    const metrics = await endpoint.get('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('coupon_store_up{store="redis"} 0');
    expect(endpoint.faults[0]).toMatchObject({ kind: 'unreachable' });

    await proxy.restore();
    await until(async () => (await endpoint.get('/readyz')).status === 200);
    expect((await endpoint.ask('away', 'minji')).status).toBe(202);
  });

  test('a request whose answer was lost is "unknown", not "unavailable"; under the same key it gets its answer later', async () => {
    await stores.seed({ id: 'lost-reply', total: 5 });
    await using link = await openBehindProxy('redis');
    const { proxy, endpoint } = link;
    proxy.holdReplies();
    const asked = endpoint.ask('lost-reply', 'minji', 'key-1');
    await until(async () => (await stores.redis.hexists('coupon_admitted:lost-reply', 'minji')) === 1);
    await proxy.cut();
    const lost = await asked;
    expect(lost).toMatchObject({ status: 503, body: { code: 'unknown' } });
    expect(lost.headers.get('retry-after')).toBe('1');
    proxy.releaseReplies();
    await proxy.restore();
    await until(async () => (await endpoint.get('/readyz')).status === 200);
    expect((await endpoint.ask('lost-reply', 'minji', 'key-1')).status).toBe(202);
    expect(await stores.redis.hget('coupon:lost-reply', 'stock')).toBe('4');
    expect((await endpoint.get('/metrics')).text).toContain('coupon_ambiguous_total{op="admit"} 1');
  });
});

test('after a crash of Redis the new server is checked against the ledger, and goes on where the old one stopped', async () => {
  await using redis = await extraRedis();
  const connection = await openRedis({ url: redis.url, reconnect: true });
  const coupons = redisCoupons(connection, 'plain');
  const ports = { admission: redisAdmission(connection, 'plain'), coupons, reader: redisReader(connection, 'plain') };
  const definition = { id: 'crashed', name: 'Test', total: 2, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  await seed(definition, { ledger: stores.ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
  await using endpoint = await openEndpoint(stores, ports);
  expect((await endpoint.ask('crashed', 'minji', 'key')).status).toBe(202);
  await redis.kill();
  expect((await endpoint.ask('crashed', 'jisu', 'key')).status).toBe(503);
  await redis.start();
  await until(async () => (await endpoint.ask('crashed', 'jisu', 'key')).status === 202);
  expect((await endpoint.ask('crashed', 'minji', 'key')).status).toBe(202);
  expect((await endpoint.ask('crashed', 'yuna')).status).toBe(410);
  connection.close();
});

test('a Redis that answers but takes no writes is not ready, and says why in a word', async () => {
  await using redis = await extraRedis(['--min-replicas-to-write', '1']);
  const connection = await openRedis({ url: redis.url, reconnect: true });
  await using endpoint = await openEndpoint(stores, { health: { ...stores.health, redis: redisHealth(connection) } });
  const { status, body } = await endpoint.get('/readyz');
  expect(status).toBe(503);
  expect(body).toMatchObject({ code: 'unavailable', redis: 'noreplicas', ledger: 'up' });
  expect(body['detail']).toBe('Redis has fewer replicas than it needs to take writes.');
  connection.close();
});

describe('without the ledger', () => {
  test('admission goes on; only what the ledger alone can say is 503', async () => {
    await stores.seed({ id: 'on', total: 5 });
    await using link = await openBehindProxy('ledger');
    const { proxy, endpoint } = link;
    await proxy.cut();
    expect((await endpoint.ask('on', 'minji')).status).toBe(202);
    const status = await endpoint.get('/coupons/on/requests/minji');
    expect(status).toMatchObject({ status: 200, body: { position: 1, estimatedWaitSeconds: null } });
    expect(await endpoint.ask('never-heard-of', 'minji')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(await endpoint.post('/coupons/on/issued/minji/use')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect((await endpoint.get('/readyz')).body).toMatchObject({ redis: 'up', ledger: 'down' });
    await proxy.restore();
    await until(async () => (await endpoint.get('/readyz')).status === 200);
    expect(await endpoint.ask('never-heard-of', 'minji')).toMatchObject({ status: 404 });
  });

  test('a coupon that was not checked since the restart of Redis stays unavailable, and takes nobody in', async () => {
    await stores.seed({ id: 'unchecked', total: 5 });
    await stores.redis.hset('coupon:unchecked', 'run', 'the server before');
    await using link = await openBehindProxy('ledger');
    const { proxy, endpoint } = link;
    await proxy.cut();
    expect(await endpoint.ask('unchecked', 'minji')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(await stores.redis.hget('coupon:unchecked', 'stock')).toBe('5');
    await proxy.restore();
    await until(async () => (await endpoint.ask('unchecked', 'minji', 'key')).status === 202);
  });
});

describe('many at once', () => {
  test('requests for a hundred made-up coupons ask the ledger once', async () => {
    let queries = 0;
    const counted = {
      ...stores.ledger,
      coupons: () => {
        queries += 1;
        return stores.ledger.coupons();
      },
    };
    await using endpoint = await openEndpoint(stores, { ledger: counted });
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => endpoint.ask(`made-up-${i}`, 'minji')));
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([404]));
    // The list is fresh for a second; on a slow machine the hundred may take longer than one.
    expect(queries).toBeLessThan(20);
  });

  test('requests that arrive together become one batch for each coupon, in order of arrival', async () => {
    await stores.seed({ id: 'one', total: 100 });
    await stores.seed({ id: 'two', total: 100 });
    const batches: [string, number][] = [];
    const admission: Admission = {
      admit: (couponId, requests) => {
        batches.push([couponId, requests.length]);
        return stores.admission.admit(couponId, requests);
      },
    };
    await using endpoint = await openEndpoint(stores, { admission });
    const { hostname, port } = new URL(endpoint.url);
    const users = Array.from({ length: 45 }, (_, i) => `user-${i}`);
    const post = (userId: string, i: number): string => {
      const body = JSON.stringify({ userId });
      return `POST /coupons/${i % 3 === 0 ? 'two' : 'one'}/requests HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    };
    // One write is one turn of the event loop on the other side.
    const socket = connect(Number(port), hostname);
    let replies = '';
    socket.on('data', (chunk) => (replies += chunk.toString()));
    socket.write(users.map(post).join(''));
    await until(() => replies.split('HTTP/1.1 202').length - 1 === users.length);
    socket.destroy();
    expect(batches.toSorted()).toEqual([
      ['one', 30],
      ['two', 15],
    ]);
    const order = users.filter((_, i) => i % 3 !== 0);
    expect(await stores.redis.zrange('coupon_waiting_queue:one', 0, '-1')).toEqual(order);
  });
});
