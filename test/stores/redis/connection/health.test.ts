import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../../../src/stores/redis/connection/open.ts';
import { redisHealth } from '../../../../src/stores/redis/connection/health.ts';
import { extraRedis, type ExtraRedis } from '../../../support/extra-redis.ts';
import { openProxy } from '../../../support/tcp-proxy.ts';
import { until } from '../../../support/until.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
});

async function open(url: string) {
  const connection = await openRedis({ url, reconnect: true });
  opened.push(connection);
  return { connection, health: redisHealth(connection) };
}

describe('the condition of Redis', () => {
  let redis: ExtraRedis;
  let admin: Redis;
  beforeAll(async () => {
    // A snapshot cannot take the place of a folder with files in it.
    redis = await extraRedis(['--dbfilename', 'appendonlydir', '--save', '3600 1', '--busy-reply-threshold', '50']);
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  it('is up for one that takes writes, and asking leaves nothing behind', async () => {
    const { health } = await open(redis.url);
    expect(await health.condition()).toBe('up');
    expect(await admin.info('persistence')).toMatch(/rdb_changes_since_last_save:0\r/);
  });

  it('is noreplicas while it has fewer than it needs', async () => {
    const { health } = await open(redis.url);
    await admin.config('SET', 'min-replicas-to-write', '1');
    expect(await health.condition()).toBe('noreplicas');
    await admin.config('SET', 'min-replicas-to-write', '0');
    expect(await health.condition()).toBe('up');
  });

  it('is busy while a script holds it up', async () => {
    const { health } = await open(redis.url);
    const end = admin.eval('while true do end', 0).catch(String);
    await until(async () => (await health.condition()) === 'busy');
    const other = new Redis(redis.url, { enableReadyCheck: false });
    await other.call('SCRIPT', 'KILL');
    other.disconnect();
    expect(await end).toMatch(/killed/i);
    expect(await health.condition()).toBe('up');
  });

  it('is refused for a user who may not write', async () => {
    await admin.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@all', '-@write');
    const { health } = await open(redis.url.replace('redis://', 'redis://reader:pw@'));
    expect(await health.condition()).toBe('refused');
  });

  it('is down without a connection, and up when that is back', async () => {
    await using proxy = await openProxy(redis.url);
    const { health } = await open(proxy.through(redis.url));
    await proxy.cut();
    await until(async () => (await health.condition()) === 'down');
    await proxy.restore();
    await until(async () => (await health.condition()) !== 'down');
    expect(await health.condition()).toBe('up');
  });

  it('is persistence while it cannot save, as it takes no writes then', async () => {
    const { health } = await open(redis.url);
    await admin.set('changed', '1');
    await admin.bgsave();
    await until(async () => (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'));
    expect(await health.condition()).toBe('persistence');
  });

  it.each([
    ['always', true],
    ['everysec', false],
  ])('with appendfsync %s is or is not durable', async (value, durable) => {
    const { health } = await open(redis.url);
    await admin.config('SET', 'appendfsync', value);
    expect(await health.fsyncAlways()).toBe(durable);
  });

  it('of a server that keeps its settings to itself leaves durability open', async () => {
    await admin.call('ACL', 'SETUSER', 'hosted', 'on', '>pw', '~*', '+@all', '-config');
    const { health } = await open(redis.url.replace('redis://', 'redis://hosted:pw@'));
    expect(await health.fsyncAlways()).toBeNull();
  });
});

it('a replica is not ready, even one that would take writes, nor one that lost its primary', async () => {
  await using primary = await extraRedis();
  await using replica = await extraRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
  const { health } = await open(replica.url);
  // Our connection gives a replica up whenever it refuses a write: the address may lead to another server by then.
  const other = new Redis(replica.url);
  await until(async () => (await health.condition()) === 'replica');
  await other.config('SET', 'replica-read-only', 'no');
  await until(async () => (await health.condition()) === 'replica');
  await primary.kill();
  await until(async () => (await health.condition()) === 'masterdown');
  await other.replicaof('NO', 'ONE');
  await expect.poll(() => health.condition(), { timeout: 30_000 }).toBe('up');
  other.disconnect();
});

it('one that comes back with much to read is loading until it has', async () => {
  await using redis = await extraRedis(['--key-load-delay', '500']);
  const { connection, health } = await open(redis.url);
  // It answers nobody but once in 1,024 commands.
  const fill = connection.client.pipeline();
  for (let i = 0; i < 8_000; i++) fill.set(`key-${i}`, '1');
  await fill.exec();
  await redis.kill();
  const back = redis.start();
  await until(async () => (await health.condition()) === 'loading');
  await back;
  // An answer may still come too late, and is none then.
  await expect.poll(() => health.condition(), { timeout: 30_000 }).toBe('up');
});
