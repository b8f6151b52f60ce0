import { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import type { RedisConnection } from '../../../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../../../src/stores/redis/connection/open.ts';
import { redisReader } from '../../../../src/stores/redis/reader.ts';
import { extraRedis } from '../../../support/extra-redis.ts';
import { until } from '../../../support/until.ts';

afterEach(() => vi.restoreAllMocks());

test('a user without INFO is refused in our words alone', async () => {
  await using redis = await extraRedis();
  const admin = new Redis(redis.url);
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-info');
  admin.disconnect();
  const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const url = redis.url.replace('redis://', 'redis://app:pw@');
  const opened = openRedis({ url, reconnect: false });
  await expect(opened).rejects.toMatchObject({ code: 'REDIS_AUTH', fix: expect.stringContaining('grants --for redis') });
  expect(said).not.toHaveBeenCalled();
});

test('what a transaction was discarded for is told, and not that it was', async () => {
  await using redis = await extraRedis();
  const admin = new Redis(redis.url);
  await admin.call('ACL', 'SETUSER', 'half', 'on', '>pw', '~*', '+@all', '-hlen');
  const half = await openRedis({ url: redis.url.replace('redis://', 'redis://half:pw@'), reconnect: false });
  await expect(redisReader(half, 'hash-tag').coupon('42')).rejects.toMatchObject({
    code: 'REDIS_AUTH',
    message: expect.stringContaining('HLEN'),
  });
  half.close();
  const full = await openRedis({ url: redis.url, reconnect: false });
  await admin.config('SET', 'maxmemory', '1');
  const error = await full.client
    .multi()
    .set('a', '1')
    .exec()
    .catch((reason: unknown) => full.explain(reason));
  expect(error).toMatchObject({ code: 'REDIS_NOT_NOW', fix: expect.stringContaining('maxmemory') });
  full.close();
  admin.disconnect();
});

test('a server that loads its data is waited for', async () => {
  await using redis = await extraRedis(['--key-load-delay', '300']);
  const filling = new Redis(redis.url);
  const fill = filling.pipeline();
  for (let i = 0; i < 8_000; i++) fill.set(`key-${i}`, '1');
  await fill.exec();
  filling.disconnect();
  await redis.kill();
  const back = redis.start();
  let connection: RedisConnection | null = null;
  while (connection === null)
    connection = await openRedis({ url: redis.url, reconnect: false }).catch((error: { kind: string }) => {
      // Not listening yet, or too busy with loading to answer the login.
      if (error.kind === 'unreachable') return null;
      throw error;
    });
  expect(await connection.client.get('key-0')).toBe('1');
  connection.close();
  await back;
});

test('a server that takes no more clients is told in its own words, also where our first write met the end of the link', async () => {
  await using redis = await extraRedis();
  const admin = new Redis(redis.url);
  const lasting = await openRedis({ url: redis.url, reconnect: true });
  await admin.config('SET', 'maxclients', '1');
  const full = {
    code: 'REDIS_NOT_NOW',
    kind: 'unreachable',
    why: 'ERR max number of clients reached',
    fix: expect.stringContaining('maxclients'),
  };
  for (let i = 0; i < 20; i++) await expect(openRedis({ url: redis.url, reconnect: false })).rejects.toMatchObject(full);
  // A process that lives on is cut off, and finds no way back in.
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(() => {
    try {
      lasting.runOf('');
    } catch (error) {
      return (error as { why?: string }).why === full.why;
    }
    return false;
  });
  await admin.config('SET', 'maxclients', '100');
  await until(async () => (await lasting.client.get('x').catch(() => 'away')) === null);
  lasting.close();
  admin.disconnect();
});
