import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { extraRedis } from '../support/extra-redis.ts';
import { cli, type CliResult } from '../support/run-cli.ts';
import { sentinels } from '../support/sentinels.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { CERTIFICATES } from '../support/tls-server.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

function runner(redisUrl: string) {
  const run = (...argv: string[]): Promise<CliResult> => cli(['--redis-url', redisUrl, '--database-url', stores.databaseUrl, ...argv]);
  const ok = async (...argv: string[]): Promise<CliResult> => {
    const result = await run(...argv);
    if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}${result.stdout}`);
    return result;
  };
  return { run, ok };
}

test('the whole story over a Unix socket', async () => {
  const socket = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'redis.sock');
  await using redis = await extraRedis(['--unixsocket', socket], 'geheim');
  expect(redis.port).toBeGreaterThan(0);
  const { ok, run } = runner(`unix://:geheim@${socket}?db=3`);
  await ok('seed', 'socket', '--name', 'Socket', '--stock', '5');
  await ok('submit', 'socket', '--users', '8');
  await ok('drain', 'socket', '--until-empty', '--interval', '50ms');
  await ok('audit', 'socket');
  expect((await run('config', 'show', '--json')).stdout).toContain(`unix://:***@${socket}?db=3`);
  expect((await runner(`unix://${socket}.not`).run('inspect')).exitCode).toBe(3);
});

describe('Sentinel', () => {
  test('the whole story, with a failover in the middle', async () => {
    await using watched = await sentinels();
    const { ok } = runner(watched.url);
    await ok('seed', 'watched', '--name', 'Watched', '--stock', '30');
    await ok('submit', 'watched', '--users', '10');
    await ok('drain', 'watched', '--until-empty', '--interval', '50ms');
    await watched.failOver();
    await ok('submit', 'watched', '--users', '30');
    await ok('drain', 'watched', '--until-empty', '--interval', '50ms');
    await ok('audit', 'watched');
    expect(await stores.sql("SELECT count(*)::int AS n FROM issued_coupons WHERE coupon_id = 'watched'")).toEqual([{ n: 30 }]);
  });

  test('sentinels that are away, or do not know the primary: 3, at once', async () => {
    const away = await runner('redis-sentinel://127.0.0.1:1,127.0.0.1:2/0#shop').run('inspect');
    expect(away).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('shop (by the sentinel 127.0.0.1:1 and others)') });
  });
});

// Not found out in time, it would be `REDIS_DOWN`, and 3.
describe('TLS is told as that, before the time of a connection is up', () => {
  test('rediss:// to a port without it', async () => {
    const url = stores.redisUrl.replace('redis://', 'rediss://');
    const { exitCode, stderr } = await runner(url).run('inspect');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/REDIS_TLS[\s\S]*Use redis:\/\//) });
  });

  test('redis:// to a port that speaks nothing else', async () => {
    const server = createServer(CERTIFICATES.good);
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { exitCode, stderr } = await runner(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`).run('inspect');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Write rediss://') });
    await new Promise((resolve) => server.close(resolve));
  });
});
