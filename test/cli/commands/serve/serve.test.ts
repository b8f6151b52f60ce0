import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StopSignal } from '../../../../src/cli/env.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { at, cli, type CliOptions, type CliResult } from '../../../support/run-cli.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

/** Runs `serve` until the body is done, then stops it with a signal. */
async function serving(
  argv: readonly string[],
  body: (server: { url: string; firstLine: string; signal: (name: StopSignal) => void }) => Promise<void>,
  options: CliOptions = {},
): Promise<CliResult> {
  let send: (name: StopSignal) => void = () => undefined;
  let stopped = false;
  const signal = (name: StopSignal): void => {
    stopped = true;
    send(name);
  };
  let done: Promise<void> | undefined;
  let failure: unknown;
  const running = cli(['serve', '--port', '0', ...at(stores), ...argv], {
    ...options,
    onListen: (listener) => (send = listener),
    onStdout: (firstLine) => {
      const url = /http:\/\/[^"\s]+/.exec(firstLine)?.[0] ?? '';
      done = body({ url, firstLine, signal })
        .catch((error: unknown) => (failure = error))
        .then(() => (stopped ? undefined : signal('SIGTERM')));
    },
  });
  const result = await running;
  await done;
  if (failure) throw failure;
  return result;
}

const ask = (url: string, couponId: string, userId: string): Promise<Response> =>
  fetch(`${url}/coupons/${couponId}/requests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });

describe('serve', () => {
  test('says where it listens, takes requests, and ends with 0 after the first signal', async () => {
    await stores.seed({ id: '42', total: 2 });
    const result = await serving([], async ({ url, firstLine }) => {
      expect(firstLine).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n$/);
      const statuses = [];
      for (const user of ['a', 'a', 'b', 'c']) statuses.push((await ask(url, '42', user)).status);
      expect(statuses).toEqual([202, 409, 202, 410]);
    });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('SIGTERM: finishing');
  });

  test('with --json the line is one JSON object', async () => {
    const result = await serving(['--json'], async ({ url, firstLine }) => {
      expect(JSON.parse(firstLine)).toEqual({ event: 'listening', url });
      expect((await fetch(`${url}/livez`)).status).toBe(200);
    });
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('--no-sold-out-cache asks Redis for every request', async () => {
    await stores.clear();
    await stores.seed({ id: '42', total: 1 });
    await serving(['--no-sold-out-cache'], async ({ url }) => {
      for (const user of ['a', 'b', 'c', 'd']) await ask(url, '42', user);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect((await ask(url, '42', 'e')).status).toBe(410);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain('coupon_admissions_total{coupon="42",result="sold_out"} 4');
      expect(metrics).not.toMatch(/^coupon_refusals_from_memory_total\{/m);
    });
  });

  test.each([
    ['--max-pending', '0'],
    ['--max-in-flight', 'many'],
    ['--workers', '0'],
  ])('%s %s is refused', async (flag, value) => {
    const result = await cli(['serve', '--port', '0', ...at(stores), flag, value]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(flag) });
  });

  test('host and port may come from the environment', async () => {
    const result = await serving(
      [],
      async ({ url }) => {
        expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
        expect((await fetch(`${url}/readyz`)).status).toBe(200);
      },
      { vars: { COUPON_HOST: '::1', COUPON_PORT: '1' } },
    );
    expect(result.exitCode).toBe(0);
  });

  test('finishes a request that was in flight when the signal came', async () => {
    await stores.seed({ id: 'late', total: 2 });
    const result = await serving([], async ({ url, signal }) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      const body = '{"userId":"slow"}';
      const type = 'content-type: application/json';
      socket.write(
        `POST /coupons/late/requests HTTP/1.1\r\nhost: a\r\n${type}\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`,
      );
      // "Go on" says that the server has the request, all but its body.
      const [go] = (await once(socket, 'data')) as [Buffer];
      expect(go.toString()).toContain('100 Continue');
      signal('SIGINT');
      await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
      socket.write(body);
      // The text ends when the server hangs up.
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 202 /);
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).not.toContain('cut off');
    expect(await stores.redis.zrange('coupon_waiting_queue:late', 0, '-1')).toEqual(['slow']);
  });

  test('--warm-up ends with a signal, before anybody could ask', async () => {
    const result = await cli(['serve', '--port', '0', '--warm-up', '1m', ...at(stores)], {
      onListen: (send) => void setTimeout(() => send('SIGTERM'), 200),
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining('stopped') });
  });

  test('--warm-up is at most a minute', async () => {
    const result = await cli(['serve', '--port', '0', '--warm-up', '61s', ...at(stores)]);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--warm-up: "61s" is too long') });
  });

  test('a second signal ends it at once', async () => {
    const ends: number[] = [];
    let send: (name: StopSignal) => void = () => undefined;
    await cli(['serve', '--port', '0', ...at(stores)], {
      onListen: (listener) => (send = listener),
      onStdout: () => {
        send('SIGINT');
        try {
          send('SIGTERM');
        } catch (error) {
          ends.push(Number(/exit (\d+)/.exec(String(error))?.[1]));
        }
      },
    });
    expect(ends).toEqual([143]);
  });

  test('checks every coupon at the start and warns of one that cannot be served, serving the others', async () => {
    await stores.seed({ id: 'good', total: 1 });
    await stores.seed({ id: 'behind', total: 1 });
    await stores.seed({ id: 'emptied', total: 1 });
    await stores.sql("UPDATE coupons SET max_fence = 9 WHERE id = 'behind'");
    await stores.redis.del('coupon:emptied');
    await stores.redis.hset('coupon:good', 'run', 'the server before');
    const result = await serving([], async ({ url }) => {
      expect(await stores.redis.hget('coupon:good', 'run')).toBe(stores.connection.runOf(''));
      expect((await ask(url, 'good', 'a')).status).toBe(202);
      expect((await ask(url, 'behind', 'a')).status).toBe(503);
      expect((await ask(url, 'emptied', 'a')).status).toBe(503);
    });
    expect(result.stderr).toMatch(/warning: coupon behind .*audit behind/);
    expect(result.stderr).toMatch(/warning: .*coupon emptied/);
    expect(result.stderr).not.toContain('coupon good');
    await stores.clear();
  });

  test('a port that is taken is refused with a way out', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const result = await cli(['serve', '--port', String(port), ...at(stores)]);
    server.close();
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('[PORT_TAKEN]');
    expect(result.stderr).toContain('--port 0');
  });

  test.each([
    [['--port', '65536'], 'BAD_NUMBER'],
    [['--port', 'http'], 'BAD_NUMBER'],
    [['--host', '192.0.2.1', '--port', '0', '--trust-the-proxy'], 'BAD_HOST'],
  ])('refuses %j', async (argv, code) => {
    const result = await cli(['serve', ...at(stores), ...argv]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
  });

  test('without a store at the start it ends with 3', async () => {
    const nowhere = 'redis://127.0.0.1:1';
    const noRedis = await cli(['serve', '--port', '0', '--redis-url', nowhere, '--database-url', stores.databaseUrl]);
    expect(noRedis).toMatchObject({ exitCode: 3, stdout: '' });
    expect(noRedis.stderr).toContain('[REDIS_DOWN]');
    const noLedger = await cli(['serve', '--port', '0', '--redis-url', stores.redisUrl, '--database-url', 'postgres://127.0.0.1:1/x']);
    expect(noLedger).toMatchObject({ exitCode: 3, stdout: '' });
    expect(noLedger.stderr).toContain('[DATABASE_DOWN]');
  });

  test('a baseline says on stderr what it is, and issues as it does', async () => {
    await stores.seed({ id: 'old', total: 2 });
    const result = await serving(['--strategy', 'rdb-lock'], async ({ url }) => {
      expect((await ask(url, 'old', 'a')).status).toBe(202);
      expect((await ask(url, 'old', 'a')).status).toBe(409);
    });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain('warning: strategy rdb-lock: for comparison only');
    expect((await stores.ledger.counts('old'))?.rows).toBe(1);
    expect(await stores.redis.hget('issued_coupon:coupon:old-user:a', 'userId')).toBe('a');
  });

  test('the literal three calls accept a waiting user twice', async () => {
    await stores.seed({ id: 'literal', total: 2 });
    const result = await serving(['--strategy', 'three-calls'], async ({ url }) => {
      expect((await ask(url, 'literal', 'a')).status).toBe(202);
      expect((await ask(url, 'literal', 'a')).status).toBe(202);
      expect((await ask(url, 'literal', 'b')).status).toBe(410);
    });
    expect(result.stderr).toContain('warning: strategy three-calls: for comparison only; it over-promises');
  });

  test.each([
    [['--strategy', 'three-cals'], 'BAD_STRATEGY', 'did you mean "three-calls"?'],
    [['--strategy', 'three-calls', '--redis-url', 'redis://redis.example'], 'STRATEGY_REFUSED', 'Redis is not on this machine'],
    [['--strategy', 'rdb-lock', '--database-url', 'postgres://db.example/x'], 'STRATEGY_REFUSED', 'the database is not on this machine'],
  ])('refuses %j, before a store is touched', async (argv, code, words) => {
    const result = await cli(['serve', ...argv]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain(words);
  });

  test('the help ends with examples', async () => {
    const { stdout, exitCode } = await cli(['serve', '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}coupon-cli serve/);
  });
});
