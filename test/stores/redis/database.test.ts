import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { RedisConnection } from '../../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisHealth } from '../../../src/stores/redis/connection/health.ts';
import { extraRedis, type ExtraRedis } from '../../support/extra-redis.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { openProxy } from '../../support/tcp-proxy.ts';
import { until } from '../../support/until.ts';

let redis: ExtraRedis;
let admin: Redis;
let stores: TestStores;
const opened: RedisConnection[] = [];
beforeAll(async () => {
  redis = await extraRedis();
  admin = new Redis(redis.url);
  stores = await openStores();
});
afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
});
afterAll(async () => {
  admin.disconnect();
  await stores[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

async function open(url: string, more: { readOnly?: boolean; reconnect?: boolean } = {}): Promise<RedisConnection> {
  const connection = await openRedis({ url, reconnect: true, ...more });
  opened.push(connection);
  return connection;
}

/** The address for a user of its own, who may do all but what is named. */
async function urlOf(user: string, ...rules: string[]): Promise<string> {
  await admin.call('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', ...rules);
  return redis.url.replace('redis://', `redis://${user}:pw@`);
}

it('a database that the URL names is the one that is used', async () => {
  const connection = await open(`${redis.url}/5`);
  await connection.client.set('where', 'five');
  await connection.together().set('there', 'too').exec();
  expect(await admin.exists('where', 'there')).toBe(0);
  const five = new Redis(`${redis.url}/5`);
  expect(await five.exists('where', 'there')).toBe(2);
  five.disconnect();
});

it.each(['/5', '/15', '?db=5'])('a user who may not SELECT is refused %s, and may use database 0', async (database) => {
  const url = await urlOf('stuck', '-select');
  for (const readOnly of [false, true]) {
    await expect(open(`${url}${database}`, { readOnly })).rejects.toMatchObject({ code: 'REDIS_DATABASE_REFUSED', kind: 'usage' });
  }
  expect(await (await open(url)).client.ping()).toBe('PONG');
});

it.each(['/99', '/16', '/4294967296', '/9007199254740991'])('a database that the server has not, %s, is refused', async (database) => {
  for (const reconnect of [false, true]) {
    await expect(open(`${redis.url}${database}`, { reconnect })).rejects.toMatchObject({ code: 'REDIS_DATABASE_REFUSED', kind: 'usage' });
  }
});

it.each([
  ['/5', '-select'],
  ['/99', '+select'],
])('seed --reset on %s (%s) is exit 2, and deletes nothing of database 0', async (database, rule) => {
  const url = await urlOf('seeder', rule);
  const seed = ['seed', '42', '--name', 'x', '--stock', '5'];
  expect((await cli([...at(stores), '--redis-url', url, ...seed])).exitCode).toBe(0);
  const before = await admin.keys('*');
  expect(before).not.toEqual([]);
  for (const command of [
    [...seed, '--reset', '--confirm=42'],
    ['drain', '--once'],
    ['inspect', 'coupon', '42'],
    ['audit', '42'],
  ]) {
    const result = await cli([...at(stores), '--redis-url', `${url}${database}`, ...command]);
    expect([command[0], result.exitCode, result.stderr]).toEqual([command[0], 2, expect.stringContaining('[REDIS_DATABASE_REFUSED]')]);
  }
  expect(await admin.keys('*')).toEqual(before);
});

it('after a reconnect the database is selected before any command that was sent meanwhile', async () => {
  await using proxy = await openProxy(redis.url);
  const { client } = await open(`${proxy.through(redis.url)}/6`);
  await proxy.cut();
  await proxy.restore();
  await until(async () => (await client.set('again', 'x').catch(() => null)) === 'OK');
  expect(await admin.exists('again')).toBe(0);
});

it('a right that is taken away ends in a refusal after the reconnect, with nothing sent to database 0', async () => {
  await using proxy = await openProxy(redis.url);
  const connection = await open(`${proxy.through(await urlOf('demoted'))}/5`);
  const { client } = connection;
  expect(await client.set('mine', '1')).toBe('OK');
  await admin.call('ACL', 'SETUSER', 'demoted', '-select');
  await proxy.cut();
  await proxy.restore();
  const refusal = async (): Promise<string | null> => {
    const error = await client.set('stray', '1').catch((thrown: unknown) => connection.explain(thrown));
    return typeof error === 'object' && error !== null ? error.code : error;
  };
  await until(async () => (await refusal()) === 'REDIS_DATABASE_REFUSED');
  await expect(connection.together().set('stray', '1').get('mine').exec()).rejects.toMatchObject({ code: 'REDIS_DATABASE_REFUSED' });
  await expect(client.eval("return redis.call('set', KEYS[1], '1')", 1, 'stray')).rejects.toMatchObject({ code: 'REDIS_DATABASE_REFUSED' });
  expect(() => connection.runOf('')).toThrow(expect.objectContaining({ code: 'REDIS_DATABASE_REFUSED' }));
  expect(await redisHealth(connection).condition()).toBe('refused');
  expect(await admin.exists('stray')).toBe(0);

  await admin.call('ACL', 'SETUSER', 'demoted', '+select');
  await proxy.cut();
  await proxy.restore();
  await until(async () => (await refusal()) === 'OK');
});

it('a query parameter that would be an option of the client is exit 2, named, without the password', async () => {
  for (const name of ['keyPrefix', 'maxRetriesPerRequest', 'enableOfflineQueue', 'host']) {
    const url = `${redis.url.replace('redis://', 'redis://u:S3CRET@')}?${name}=1`;
    const result = await cli([...at(stores), '--redis-url', url, 'drain', '--once']);
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining(name)]);
    expect(result.stderr).toContain('[BAD_REDIS_URL]');
    const shown = await cli([...at(stores), '--redis-url', url, 'config', 'show']);
    expect(result.stderr + shown.stdout + shown.stderr).not.toContain('S3CRET');
  }
});
