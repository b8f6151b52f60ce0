import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../../../src/operate/seed.ts';
import { redisAdmission } from '../../../src/stores/redis/admission.ts';
import { redisClaims } from '../../../src/stores/redis/claims.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../../src/stores/redis/coupons.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { openEndpoint } from '../../support/endpoint.ts';
import { extraRedis } from '../../support/extra-redis.ts';
import { cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

/** A replica that was set to take writes loses them at its next synchronisation: nobody may be accepted there. */
let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const WRITABLE = ['--replica-read-only', 'no'];

async function seeded(id: string, url: string): Promise<void> {
  const connection = await openRedis({ url, reconnect: false });
  const definition = { id, name: 'Test', total: 5, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  const coupons = redisCoupons(connection, 'plain');
  await seed(definition, { ledger: stores.ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
  connection.close();
}

async function endpointOn(url: string) {
  const connection = await openRedis({ url, reconnect: true });
  const endpoint = await openEndpoint(stores, {
    admission: redisAdmission(connection, 'plain'),
    coupons: redisCoupons(connection, 'plain'),
    claims: redisClaims(connection, 'plain'),
    reader: redisReader(connection, 'plain'),
  });
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      await endpoint[Symbol.asyncDispose]();
      connection.close();
    },
  };
}

test('commands and the endpoint refuse a replica from the start, and change nothing there', async () => {
  await using primary = await extraRedis();
  await seeded('from-the-start', primary.url);
  await using replica = await extraRedis(['--replicaof', '127.0.0.1', String(primary.port), ...WRITABLE]);
  const there = new Redis(replica.url);
  await until(async () => (await there.exists('coupon:from-the-start')) === 1);
  const before = await there.hgetall('coupon:from-the-start');

  const at = ['--redis-url', replica.url, '--database-url', stores.databaseUrl];
  for (const argv of [
    ['submit', 'from-the-start', '--users', '2'],
    ['drain', '--once', '--wait-for-stores', '0s'],
    ['seed', 'another', '--name', 'X', '--stock', '5'],
  ]) {
    const { exitCode, stderr } = await cli([...argv, ...at]);
    expect({ argv, exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/replica/) });
  }
  await using server = await endpointOn(replica.url);
  expect(await server.endpoint.ask('from-the-start', 'kim')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(await there.hgetall('coupon:from-the-start')).toEqual(before);
  expect(await there.keys('*')).not.toContain('coupon_waiting_queue:from-the-start');
  there.disconnect();
});

test('a primary that becomes one under a running server takes nobody in, until it is a primary again', async () => {
  await using primary = await extraRedis();
  await using server = await (async () => {
    await seeded('demoted', primary.url);
    return await endpointOn(primary.url);
  })();
  const { endpoint } = server;
  expect((await endpoint.ask('demoted', 'first')).status).toBe(202);

  const there = new Redis(primary.url, { maxRetriesPerRequest: null });
  await there.config('SET', 'replica-read-only', 'no');
  await there.replicaof('127.0.0.1', '1');
  let asked = 0;
  await until(async () => (await endpoint.ask('demoted', `late-${(asked += 1) % 2}`)).status === 503);
  const waiting = await there.zcard('coupon_waiting_queue:demoted');
  for (const user of ['a', 'b', 'c']) expect((await endpoint.ask('demoted', user)).status).toBe(503);
  expect(await there.zcard('coupon_waiting_queue:demoted')).toBe(waiting);
  expect(endpoint.faults.at(-1)).toMatchObject({ kind: 'unreachable' });

  await there.replicaof('NO', 'ONE');
  await until(async () => (await endpoint.ask('demoted', 'a', 'key')).status === 202);
  there.disconnect();
});
