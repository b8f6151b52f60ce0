import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drainPass } from '../../../src/drain/pass.ts';
import { seed } from '../../../src/operate/seed.ts';
import { Closers } from '../../../src/lib/closers.ts';
import { redisAdmission } from '../../../src/stores/redis/admission.ts';
import { redisClaims } from '../../../src/stores/redis/claims.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../../src/stores/redis/coupons.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { openEndpoint } from '../../support/endpoint.ts';
import { extraRedis } from '../../support/extra-redis.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** An endpoint and a drain on a Redis of their own, with one user waiting; `other` is a client that nobody else uses. */
async function openAlone(couponId: string, args: readonly string[] = []) {
  const open = new Closers();
  const redis = await extraRedis(args);
  open.add(() => redis[Symbol.asyncDispose]());
  const connection = await openRedis({ url: redis.url, reconnect: true, commandTimeoutMs: 1_000 });
  open.add(() => connection.close());
  const other = new Redis(redis.url, { maxRetriesPerRequest: null });
  open.add(() => other.disconnect());
  const coupons = redisCoupons(connection, 'plain');
  const ports = { admission: redisAdmission(connection, 'plain'), coupons, reader: redisReader(connection, 'plain') };
  const definition = { id: couponId, name: 'Test', total: 5, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  await seed(definition, { ledger: stores.ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
  const endpoint = await openEndpoint(stores, ports);
  open.add(() => endpoint[Symbol.asyncDispose]());
  expect((await endpoint.ask(couponId, 'first')).status).toBe(202);
  const claims = redisClaims(connection, 'plain');
  const drain = () =>
    drainPass(
      { claims, coupons, ledger: stores.ledger },
      { couponIds: [couponId], batch: 100, leaseMs: 30_000, worker: 'w', keyStyle: 'plain', scan: false },
      new AbortController().signal,
    );
  const stored = async () => ({
    stock: await other.hget(`coupon:${couponId}`, 'stock'),
    waiting: await other.zrange(`coupon_waiting_queue:${couponId}`, 0, '-1'),
    admitted: await other.hkeys(`coupon_admitted:${couponId}`),
  });
  return { redis, other, endpoint, drain, stored, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

/** While Redis refuses, nobody hears anything but 503, and nothing of a request is left behind. */
async function expectRefusal({ endpoint, stored }: Awaited<ReturnType<typeof openAlone>>, couponId: string, why: RegExp): Promise<void> {
  const before = await stored();
  const reply = await endpoint.ask(couponId, 'second');
  expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(reply.headers.get('retry-after')).toBe('1');
  expect(await stored()).toEqual(before);
  expect(endpoint.faults.at(-1)).toMatchObject({ code: 'REDIS_NOT_NOW', kind: 'unreachable', why: expect.stringMatching(why) });
}

test('at the memory limit requests are 503 and leave nothing behind, while the drain goes on', async () => {
  await using alone = await openAlone('oom');
  await alone.other.config('SET', 'maxmemory', '1');
  await expectRefusal(alone, 'oom', /^OOM /);
  expect(await alone.drain()).toMatchObject([{ issued: 1, waiting: 0 }]);
  expect(await alone.other.exists('issued_coupon:coupon:oom-user:first')).toBe(1);
  await alone.other.config('SET', 'maxmemory', '0');
  expect((await alone.endpoint.ask('oom', 'second')).status).toBe(202);
});

test('a Redis that became a replica takes nobody in, until it is a primary again', async () => {
  await using alone = await openAlone('replica');
  await alone.other.replicaof('127.0.0.1', '1');
  await expectRefusal(alone, 'replica', /^READONLY /);
  await expect(alone.drain()).rejects.toMatchObject({ kind: 'unreachable' });
  await alone.other.replicaof('NO', 'ONE');
  // The connection was given up as well: the address might lead to another server by now.
  await until(async () => (await alone.endpoint.ask('replica', 'second', 'key')).status === 202);
  expect(await alone.drain()).toMatchObject([{ issued: 2 }]);
});

test('a Redis that is busy with somebody else’s script takes nobody in, until it is free', async () => {
  await using alone = await openAlone('busy', ['--busy-reply-threshold', '50']);
  const stuck = new Redis(alone.redis.url, { maxRetriesPerRequest: null });
  const script = stuck.eval('while true do end', 0).catch((error: Error) => error.message);
  await until(async () => {
    const reply = await alone.endpoint.ask('busy', 'second', 'key');
    return reply.status === 503 && (alone.endpoint.faults.at(-1) as { why?: string }).why?.startsWith('BUSY ') === true;
  });
  await alone.other.script('KILL');
  expect(await script).toMatch(/kill/i);
  stuck.disconnect();
  await until(async () => (await alone.endpoint.ask('busy', 'second', 'key')).status === 202);
  expect((await alone.stored()).waiting).toEqual(['first', 'second']);
});

test('a Redis that cannot write its files takes nobody in', async () => {
  await using alone = await openAlone('misconf', ['--dbfilename', 'in-the-way']);
  const [, dir] = (await alone.other.config('GET', 'dir')) as [string, string];
  // A folder stands where the file should go, which keeps root from writing it as well.
  mkdirSync(join(dir, 'in-the-way'));
  await alone.other.config('SET', 'save', '3600 1');
  await alone.other.bgsave();
  await until(async () => (await alone.other.info('persistence')).includes('rdb_last_bgsave_status:err'));
  await expectRefusal(alone, 'misconf', /^MISCONF /);
  await alone.other.config('SET', 'stop-writes-on-bgsave-error', 'no');
  expect((await alone.endpoint.ask('misconf', 'second')).status).toBe(202);
});
