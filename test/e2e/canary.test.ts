import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extraRedis } from '../support/extra-redis.ts';
import { start } from '../support/processes.ts';
import { openStores } from '../support/stores.ts';
import { Redis } from 'ioredis';

/** Counts what reaches a server: every connection, and every change of a database. */
async function watch(redisUrl: string) {
  const client = new Redis(redisUrl);
  await client.set('canary', 'alive');
  const look = async () => {
    const info = await client.info('stats');
    return { connections: /total_connections_received:(\d+)/.exec(info)![1], keys: await client.keys('*') };
  };
  return { look, close: () => client.disconnect() };
}

describe('stores of somebody else', () => {
  it.each([['demo'], ['bench', 'smoke', '--stack']])('are not even connected to by %s %s', async (...argv: string[]) => {
    await using redis = await extraRedis();
    await using stores = await openStores();
    const canary = await watch(redis.url);
    const before = await canary.look();
    const backends = () =>
      stores.sql(
        `SELECT sum(numbackends)::integer AS now, sum(sessions)::integer AS ever FROM pg_stat_database WHERE datname = current_database()`,
      );
    await stores.sql('SELECT pg_stat_force_next_flush()').catch(() => undefined);
    const tables = () => stores.sql('SELECT (SELECT count(*) FROM coupons) AS coupons, (SELECT count(*) FROM issued_coupons) AS issued');
    const tablesBefore = await tables();
    const [sessionsBefore] = await backends();

    const env = { REDIS_URL: redis.url, DATABASE_URL: stores.databaseUrl };
    const cwd = mkdtempSync(join(tmpdir(), 'coupon-'));
    writeFileSync(join(cwd, '.env'), `REDIS_URL=${redis.url}\nDATABASE_URL=${stores.databaseUrl}\n`);
    const result = await start(argv, { env, cwd }).finished;
    expect(result.stderr + result.stdout).not.toContain('error:');
    expect(result.exitCode).toBe(0);

    expect(await canary.look()).toEqual(before);
    expect(await tables()).toEqual(tablesBefore);
    const [sessionsAfter] = await backends();
    expect(sessionsAfter!['ever']).toBe(sessionsBefore!['ever']);
    canary.close();
  });
});
