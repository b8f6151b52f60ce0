import { createServer, type AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seed } from '../../../../src/operate/seed.ts';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { redisAdmission } from '../../../../src/stores/redis/admission.ts';
import { openRedis } from '../../../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../../../src/stores/redis/coupons.ts';
import { extraRedis } from '../../../support/extra-redis.ts';
import { at, cli, type CliOptions, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { openProxy } from '../../../support/tcp-proxy.ts';
import { until } from '../../../support/until.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

interface Probes {
  url: string;
  live(): Promise<{ status: number; body: Record<string, unknown> }>;
  ready(): Promise<{ status: number; body: Record<string, unknown> }>;
  metrics(): Promise<string>;
}

/** Runs `drain --health-port 0` until the body is done, then stops it with a signal. */
async function draining(
  argv: readonly string[],
  body: (probes: Probes) => Promise<void>,
  { where = stores, vars }: { where?: { redisUrl: string; databaseUrl: string } } & Pick<CliOptions, 'vars'> = {},
): Promise<CliResult> {
  let stop: (name: StopSignal) => void = () => undefined;
  let done: Promise<void> | undefined;
  const result = await cli(['drain', ...(vars ? [] : ['--health-port', '0']), '--json', ...at(where), ...argv], {
    ...(vars ? { vars } : {}),
    onListen: (send) => (stop = send),
    onStdout: (line) => {
      done ??= body(probes((JSON.parse(line) as { url: string }).url)).finally(() => stop('SIGTERM'));
    },
  });
  await done;
  return result;
}

function probes(url: string): Probes {
  const probe = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    url,
    live: () => probe('/livez'),
    ready: () => probe('/readyz'),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  };
}

const waits = (...userIds: string[]) =>
  stores.admission.admit(
    '42',
    userIds.map((userId) => ({ userId, requestId: 'r' })),
  );
const issued = async () => (await stores.ledger.counts('42'))?.rows;

describe('drain --health-port', () => {
  it('says where it answers, and answers while the drain works', async () => {
    await stores.seed({ id: '42' });
    await waits('a', 'b');
    const result = await draining(['--interval', '50ms'], async ({ url, live, ready }) => {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      await until(async () => (await ready()).status === 200);
      expect(await ready()).toEqual({ status: 200, body: { status: 'ready' } });
      expect(await live()).toEqual({ status: 200, body: { status: 'alive' } });
      await until(async () => (await issued()) === 2);
      const elsewhere = await fetch(`${url}/openapi.json`);
      expect([elsewhere.status, (await elsewhere.json()) as object]).toMatchObject([404, { code: 'not_found' }]);
    });
    expect(result.exitCode).toBe(0);
    const lines = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { event: 'health', url: expect.any(String) },
      { event: 'pass', issued: 2 },
      { event: 'stopped', issued: 2 },
    ]);
    const { url } = lines[0] as { url: string };
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  });

  it('may be set in the environment, and is told on stderr where stdout is for one document', async () => {
    const vars = { COUPON_HEALTH_PORT: '0', COUPON_HEALTH_HOST: '::1' };
    await draining(
      [],
      async ({ url, live }) => {
        expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
        expect((await live()).status).toBe(200);
      },
      { vars },
    );
    const once = await cli(['drain', '--until-empty', '--json', ...at(stores)], { vars });
    expect(once.json()).toMatchObject({ issued: 0 });
    expect(once.stderr).toMatch(/^health at http:/m);
    const off = await cli(['drain', '--once', '--health-port', 'off', ...at(stores)], { vars });
    expect(off).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('shows how long the first in the queue has waited, and what the drain has done', async () => {
    await stores.seed({ id: '42', total: 10 });
    await stores.seed({ id: 'broken', total: 5 });
    await stores.seed({ id: 'emptied', total: 5 });
    await waits('secret-a', 'secret-b', 'secret-c');
    await stores.redis.hset('coupon:broken', 'suspect', 'fence');
    await stores.redis.del('coupon:emptied');
    const hourAgo = ((await stores.reader.now()) - 3_600_000) * 1_000;
    for (const [i, user] of ['a', 'b', 'c'].entries()) await stores.redis.zadd('coupon_waiting_queue:42', hourAgo + i, `secret-${user}`);
    await draining(['--interval', '1h', '--batch', '1'], async ({ metrics }) => {
      let text = '';
      await until(async () => (text = await metrics()).includes('coupon_issued_total{coupon="42"} 1'));
      const age = Number(/^coupon_queue_oldest_age_seconds\{coupon="42"\} (.*)$/m.exec(text)?.[1]);
      expect(age).toBeGreaterThanOrEqual(3_600);
      expect(age).toBeLessThan(3_900);
      for (const line of [
        'coupon_queue_depth{coupon="42",state="waiting"} 2',
        'coupon_queue_depth{coupon="42",state="claimed"} 0',
        'coupon_stock_remaining{coupon="42"} 7',
        'coupon_suspect{coupon="42"} 0',
        'coupon_suspect{coupon="broken"} 1',
        'coupon_suspect{coupon="emptied"} 1',
        'coupon_queue_oldest_age_seconds{coupon="broken"} 0',
        'coupon_drain_batch_seconds_count{phase="claim"} 1',
        'coupon_drain_batch_seconds_count{phase="ledger"} 1',
        'coupon_drain_batch_seconds_count{phase="ack"} 1',
        'coupon_drain_passes_total 1',
        'coupon_drain_dead_total 0',
        'coupon_reclaims_total 0',
        'coupon_store_up{store="redis"} 1',
        'coupon_store_up{store="ledger"} 1',
        `coupon_redis_fsync_always ${(await stores.health.redis.fsyncAlways()) ? 1 : 0}`,
      ]) {
        expect(text.split('\n')).toContain(line);
      }
      expect(text).not.toContain('secret');
    });
  });

  it.each([
    ['redis', { redis: 'down', ledger: 'up' }],
    ['ledger', { redis: 'up', ledger: 'down' }],
  ] as const)('without %s it is alive and not ready, and ready again when that is back', async (which, state) => {
    await stores.seed({ id: '42' });
    const url = which === 'redis' ? stores.redisUrl : stores.databaseUrl;
    await using proxy = await openProxy(url);
    const where = {
      redisUrl: stores.redisUrl,
      databaseUrl: stores.databaseUrl,
      [`${which === 'redis' ? 'redis' : 'database'}Url`]: proxy.through(url),
    };
    const result = await draining(
      ['--interval', '50ms'],
      async ({ live, ready, metrics }) => {
        await until(async () => (await ready()).status === 200);
        await proxy.cut();
        await until(async () => (await ready()).status === 503);
        expect((await ready()).body).toMatchObject({ code: 'unavailable', ...state });
        expect(JSON.stringify((await ready()).body)).not.toMatch(/127\.0\.0\.1|ECONN/);
        expect(await metrics()).toContain(`coupon_store_up{store="${which}"} 0`);
        expect((await live()).status).toBe(200);
        await waits('late');
        await proxy.restore();
        await until(async () => (await ready()).status === 200);
        await until(async () => (await issued()) === 1);
      },
      { where },
    );
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('the stores are back');
  });

  it('answers before the stores do', async () => {
    await stores.seed({ id: '42' });
    await waits('a');
    await using proxy = await openProxy(stores.redisUrl);
    await proxy.cut();
    const where = { redisUrl: proxy.through(stores.redisUrl), databaseUrl: stores.databaseUrl };
    await draining(
      [],
      async ({ live, ready, metrics }) => {
        expect((await live()).status).toBe(200);
        expect(await ready()).toMatchObject({ status: 503, body: { redis: 'down', ledger: 'up' } });
        // The ledger was opened meanwhile.
        await until(async () => (await metrics()).includes('coupon_issued_total{coupon="42"} 0'));
        expect(await metrics()).toContain('coupon_store_up{store="redis"} 0');
        expect((await live()).status).toBe(200);
        await proxy.restore();
        await until(async () => (await ready()).status === 200 && (await issued()) === 1);
      },
      { where },
    );
  });

  it('on a replica it is not ready until that is promoted', async () => {
    await using primary = await extraRedis();
    const connection = await openRedis({ url: primary.url, reconnect: true });
    const definition = { id: '42', name: 'Test', total: 5, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
    const coupons = redisCoupons(connection, 'plain');
    await seed(definition, { ledger: stores.ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
    await redisAdmission(connection, 'plain').admit('42', [{ userId: 'a', requestId: 'r' }]);
    await using replica = await extraRedis(['--replicaof', '127.0.0.1', String(primary.port)]);
    const where = { redisUrl: replica.url, databaseUrl: stores.databaseUrl };
    await draining(
      ['--interval', '50ms'],
      async ({ live, ready }) => {
        await until(async () => (await ready()).body['redis'] === 'replica');
        expect(await ready()).toMatchObject({ status: 503, body: { ledger: 'up' } });
        expect((await live()).status).toBe(200);
        connection.close();
        await primary.kill();
        await until(async () => (await ready()).body['redis'] === 'masterdown');
        const promoted = await openRedis({ url: replica.url, reconnect: false });
        await promoted.client.replicaof('NO', 'ONE');
        promoted.close();
        await until(async () => (await ready()).status === 200 && (await issued()) === 1);
      },
      { where },
    );
  });

  it('on a ledger that is read only it is not ready', async () => {
    await stores.seed({ id: '42' });
    const readOnly = async (value: 'on' | 'off') => {
      const name = new URL(stores.databaseUrl).pathname.slice(1);
      await stores.sql(`BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = ${value}; COMMIT`);
      // Connections that are open keep the setting they began with.
      await stores.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`);
    };
    await draining(['--interval', '50ms'], async ({ live, ready }) => {
      await until(async () => (await ready()).status === 200);
      await readOnly('on');
      await until(async () => (await ready()).body['ledger'] === 'readonly');
      await waits('a');
      expect(await ready()).toMatchObject({ status: 503, body: { redis: 'up', detail: 'The ledger is read only.' } });
      expect((await live()).status).toBe(200);
      await readOnly('off');
      await until(async () => (await ready()).status === 200 && (await issued()) === 1);
    });
  });

  it('lives on while a store never answers: it waits for no answer for ever, and asks again', async () => {
    await stores.seed({ id: '42' });
    await using proxy = await openProxy(stores.databaseUrl);
    const where = { redisUrl: stores.redisUrl, databaseUrl: proxy.through(stores.databaseUrl) };
    await draining(
      ['--interval', '50ms', '--lease', '1s'],
      async ({ live, ready, metrics }) => {
        await until(async () => (await ready()).status === 200);
        proxy.holdReplies();
        await until(async () => (await ready()).status === 503);
        expect((await ready()).body).toMatchObject({ redis: 'up', ledger: 'timeout' });
        await until(async () => (await metrics()).includes('coupon_store_up{store="ledger"} 0'));
        expect((await live()).status).toBe(200);
        proxy.releaseReplies();
        await until(async () => (await ready()).status === 200);
        await waits('a');
        await until(async () => (await issued()) === 1);
      },
      { where },
    );
  });

  it('on a port that is taken is refused with a way out, before a store is touched', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const nowhere = ['--redis-url', 'redis://127.0.0.1:1', '--database-url', 'postgres://127.0.0.1:1/x'];
    const result = await cli(['drain', '--health-port', String(port), ...nowhere]);
    server.close();
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('[PORT_TAKEN]');
    expect(result.stderr).toContain('--health-port 0');
  });

  it.each([
    [['--health-port', '65536'], 'BAD_NUMBER', '--health-port'],
    [['--health-port', '0', '--health-host', '192.0.2.1'], 'BAD_HOST', '--health-host 127.0.0.1'],
  ])('refuses %j', async (argv, code, words) => {
    const result = await cli(['drain', ...at(stores), ...argv]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain(words);
  });
});
