import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../../src/campaign/outcome.ts';
import { extraRedis } from '../../support/extra-redis.ts';
import { openEndpoint } from '../../support/endpoint.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

interface Summary {
  couponId: string;
  requests: number;
  outcomes: Record<string, number>;
  seconds: number;
  perSecond: number;
}

const submit = (...argv: string[]) => cli(['submit', ...argv, ...at(stores)]);

describe('submit, straight to Redis', () => {
  test('300 users and half as many repeats on 100 coupons: 100 accepted, stock 0, exit 0', async () => {
    await stores.seed({ id: '42', total: 100 });
    const result = await submit('42', '--users', '300', '--duplicates', '0.5', '--json');
    const summary = result.json<Summary>();
    expect(result.exitCode).toBe(0);
    expect(Object.keys(summary)).toEqual(['couponId', 'requests', 'outcomes', 'seconds', 'perSecond', 'latencyMs']);
    expect(Object.keys(summary.outcomes)).toEqual([...OUTCOMES]);
    expect(summary).toMatchObject({ couponId: '42', requests: 450, outcomes: { accepted: 100, unknown: 0, unexpected: 0, unsent: 0 } });
    expect(summary.outcomes['accepted']! + summary.outcomes['duplicate']! + summary.outcomes['sold_out']!).toBe(450);
    expect(summary.perSecond).toBeGreaterThan(0);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('0');
    expect(await stores.redis.zcard('coupon_waiting_queue:42')).toBe(100);
  });

  test('shows a table of outcomes and the rate', async () => {
    await stores.seed({ id: '42', total: 2 });
    const { stdout, stderr, exitCode } = await submit('42', '--users', '3');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^OUTCOME +REQUESTS\naccepted +2\nsold_out +1\n\n3 requests for coupon 42 in [\d.]+ m?s, [\d,]+\/s\nanswered in \S+ ms \(p50\), \S+ ms \(p99\), \S+ ms \(max\)\n$/,
    );
    expect(stderr).toBe('');
  });

  test('names users by prefix and number, so that runs can follow one another', async () => {
    await stores.seed({ id: '42', total: 10 });
    await submit('42', '--users', '2');
    await submit('42', '--users', '2', '--prefix', 'vip:', '--start', '99');
    expect(await stores.redis.zrange('coupon_waiting_queue:42', 0, '-1')).toEqual(['user-1', 'user-2', 'vip:99', 'vip:100']);
    expect((await submit('42', '--users', '4', '--json')).json<Summary>().outcomes).toMatchObject({ duplicate: 2, accepted: 2 });
  });

  test('sends one request with --user', async () => {
    await stores.seed({ id: '42', total: 10 });
    expect((await submit('42', '--user', 'minji', '--json')).json<Summary>()).toMatchObject({ requests: 1, outcomes: { accepted: 1 } });
    expect((await submit('42', '--user', 'minji', '--json')).json<Summary>()).toMatchObject({ outcomes: { duplicate: 1 } });
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('9');
  });

  test('a closed coupon is a refusal like any other: exit 0', async () => {
    await stores.seed({ id: '42', opensAt: new Date('2999-01-01') });
    const result = await submit('42', '--users', '5', '--rate', '1000/s', '--json');
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.json<Summary>().outcomes).toMatchObject({ not_yet_open: 5 });
  });

  test('a coupon that was not checked since Redis started is checked first', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.hset('coupon:42', 'run', 'the server before');
    expect((await submit('42', '--users', '5', '--json')).json<Summary>().outcomes).toMatchObject({ accepted: 5 });
  });

  test('a spinner is drawn on a terminal, on stderr alone', async () => {
    await stores.seed({ id: '42' });
    const result = await cli(['submit', '42', '--users', '50', ...at(stores)], { tty: true, columns: 80 });
    expect(result.stderr).toContain('sending 50 requests');
    expect(result.stderr.lastIndexOf('\u001b[?25h')).toBeGreaterThan(result.stderr.lastIndexOf('\u001b[?25l'));
    expect(result.stdout).not.toContain('\u001b[?25');
    expect(await cli(['submit', '42', '--user', 'x', '-q', ...at(stores)], { tty: true, columns: 80 })).toMatchObject({ stderr: '' });
  });
});

test('a Redis that crashes and comes back in the middle costs nobody an answer: every request is asked again under its own id', async () => {
  await using redis = await extraRedis();
  const where = ['--redis-url', redis.url, '--database-url', stores.databaseUrl];
  await cli(['seed', 'crash', '--name', 'Test', '--stock', '15000', ...where]);
  const running = cli(['submit', 'crash', '--users', '20000', '--duplicates', '0.1', '--concurrency', '200', '--json', ...where]);
  const looker = new Redis(redis.url);
  looker.on('error', () => undefined);
  await until(async () => (await looker.zcard('coupon_waiting_queue:crash')) > 1_000);
  await redis.kill();
  await redis.start();
  const { outcomes, requests } = (await running).json<Summary>();
  expect(requests).toBe(22_000);
  expect(outcomes).toMatchObject({ accepted: 15_000, unknown: 0, unexpected: 0, unsent: 0, unavailable: 0 });
  expect(await looker.hget('coupon:crash', 'stock')).toBe('0');
  expect(await looker.zcard('coupon_waiting_queue:crash')).toBe(15_000);
  looker.disconnect();
});

describe('submit refuses, and changes nothing', () => {
  const cases: [string, string[], string][] = [
    ['no users', ['42'], 'SUBMIT_USAGE'],
    ['users and a user', ['42', '--users', '1', '--user', 'a'], 'SUBMIT_USAGE'],
    ['zero users', ['42', '--users', '0'], 'BAD_NUMBER'],
    ['too many users', ['42', '--users', '10000001'], 'BAD_NUMBER'],
    ['no concurrency', ['42', '--users', '1', '--concurrency', '0'], 'BAD_NUMBER'],
    ['too much concurrency', ['42', '--users', '1', '--concurrency', '10001'], 'BAD_NUMBER'],
    ['too many repeats', ['42', '--users', '1', '--duplicates', '101'], 'BAD_NUMBER'],
    ['negative repeats', ['42', '--users', '1', '--duplicates', '-1'], 'BAD_NUMBER'],
    ['a rate of nothing', ['42', '--users', '1', '--rate', '0/s'], 'BAD_RATE'],
    ['a prefix that makes no id', ['42', '--users', '1', '--prefix', '{a}'], 'BAD_USER_ID'],
    ['a prefix that is too long for the last number', ['42', '--users', '10', '--prefix', 'x'.repeat(127)], 'BAD_USER_ID'],
    ['a user id that is none', ['42', '--user', 'a b'], 'BAD_USER_ID'],
    ['a coupon id that is none', ['../42', '--users', '1'], 'BAD_COUPON_ID'],
    ['a coupon that nobody knows', ['43', '--users', '1'], 'COUPON_UNKNOWN'],
    ['a URL that is none', ['42', '--users', '1', '--url', 'localhost'], 'BAD_TARGET'],
    ['an endpoint elsewhere', ['42', '--users', '1', '--url', 'http://192.0.2.1'], 'TARGET_REFUSED'],
  ];
  test.each(cases)('%s', async (_name, argv, code) => {
    await stores.seed({ id: '42', total: 5 });
    const result = await submit(...argv);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toContain('fix:');
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('5');
    expect(await stores.redis.keys('*43*')).toEqual([]);
  });

  test('stores elsewhere, unless the host is named', async () => {
    const elsewhere = ['--redis-url', 'redis://192.0.2.1', '--database-url', stores.databaseUrl];
    const result = await cli(['submit', '42', '--users', '1', ...elsewhere]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('--allow-target 192.0.2.1');
  });

  test.each([
    [['redis', 'postgres'], 'redis', 'postgres'],
    [['REDIS', 'Postgres'], 'redis', 'postgres'],
    [['shop-db'], 'Shop-DB', 'shop-db'],
  ])('and takes --allow-target %j for the hosts %s and %s', async (allowed, redisHost, databaseHost) => {
    // Names without an address (RFC 6761 §6.4): whoever gets so far was let through.
    const urls = ['--redis-url', `redis://${redisHost}.invalid`, '--database-url', `postgres://u:p@${databaseHost}.invalid/x`];
    const flags = allowed.flatMap((host) => ['--allow-target', `${host}.invalid`]);
    const result = await cli(['submit', '42', '--users', '1', ...urls, ...flags]);
    expect(result.stderr).not.toContain('TARGET_REFUSED');
    expect(result.exitCode).toBe(3);
  });

  test('a coupon that the ledger has and Redis has not', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.flushdb();
    const result = await submit('42', '--users', '1');
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('[COUPON_NOT_IN_REDIS]');
    expect(await stores.redis.dbsize()).toBe(0);
  });

  test('a suspect coupon is a broken invariant: exit 4', async () => {
    await stores.seed({ id: '42' });
    await stores.redis.hset('coupon:42', 'suspect', 'fence');
    const result = await submit('42', '--users', '1');
    expect(result).toMatchObject({ exitCode: 4, stdout: '' });
    expect(result.stderr).toContain('[COUPON_SUSPECT]');
  });

  test('stores that are away: exit 3', async () => {
    await stores.seed({ id: '42' });
    const nowhere = [
      ['--redis-url', 'redis://127.0.0.1:1', '--database-url', stores.databaseUrl],
      ['--redis-url', stores.redisUrl, '--database-url', 'postgres://127.0.0.1:1/x'],
    ];
    for (const urls of nowhere) expect(await cli(['submit', '42', '--users', '1', ...urls])).toMatchObject({ exitCode: 3, stdout: '' });
  });
});

describe('submit --url', () => {
  /** Somebody else's endpoint. */
  async function foreign(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test('counts what the endpoint answers, and needs no store', async () => {
    await stores.seed({ id: '42', total: 100 });
    await using endpoint = await openEndpoint(stores);
    const argv = ['submit', '42', '--users', '300', '--duplicates', '0.5', '--url', `${endpoint.url}/`, '--json'];
    const result = await cli([...argv, '--redis-url', 'redis://127.0.0.1:1']);
    const { outcomes, requests } = result.json<Summary>();
    expect(result.exitCode).toBe(0);
    expect(requests).toBe(450);
    expect(outcomes).toMatchObject({ accepted: 100, unknown: 0, unexpected: 0, unsent: 0 });
    expect(outcomes['duplicate']! + outcomes['sold_out']!).toBe(350);
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('0');
  });

  test('a coupon that the endpoint does not know is refused before the first request', async () => {
    await using endpoint = await openEndpoint(stores);
    const result = await cli(['submit', '42', '--users', '3', '--url', endpoint.url]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('[COUPON_UNKNOWN]');
  });

  test('an endpoint that is not there: exit 3', async () => {
    const result = await cli(['submit', '42', '--users', '3', '--url', 'http://127.0.0.1:1']);
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toContain('[ENDPOINT_DOWN]');
  });

  test('answers that no rule explains are unexpected, missing ones unknown: exit 1', async () => {
    let posts = 0;
    await using server = await foreign((request, response) => {
      request.resume();
      if (request.method === 'GET') return void response.writeHead(404).end('no such page');
      posts += 1;
      if (posts === 1) return void response.writeHead(500).end('oops');
      if (posts === 2) return void request.socket.destroy();
      if (posts === 3) return void response.writeHead(503, { 'content-type': 'application/problem+json' }).end('{"code":"unknown"}');
      return void response.writeHead(202).end();
    });
    const result = await cli(['submit', '42', '--users', '5', '--concurrency', '1', '--url', server.url, '--json']);
    expect(result.exitCode).toBe(1);
    expect(result.json<Summary>().outcomes).toMatchObject({ unexpected: 1, unknown: 2, accepted: 2 });
    expect(posts).toBe(5);
  });

  test('each request carries its own id as Idempotency-Key', async () => {
    const keys = new Set<unknown>();
    await using server = await foreign((request, response) => {
      request.resume();
      if (request.method === 'POST') keys.add(request.headers['idempotency-key']);
      response.writeHead(202).end();
    });
    await cli(['submit', '42', '--users', '10', '--duplicates', '1', '--url', server.url]);
    expect(keys.size).toBe(20);
  });

  test('an endpoint that goes away is given up on: the rest is unsent, exit 3', async () => {
    let posts = 0;
    await using server = await foreign((request, response) => {
      request.resume();
      if (request.method === 'GET') return void response.writeHead(200).end('{}');
      posts += 1;
      if (posts > 10) return void request.socket.destroy();
      return void response.writeHead(202).end();
    });
    const result = await cli(['submit', '42', '--users', '5000', '--concurrency', '4', '--url', server.url, '--json']);
    const { outcomes } = result.json<Summary>();
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('ENDPOINT_DOWN');
    expect(outcomes['accepted']).toBe(10);
    expect(outcomes['unsent']).toBeGreaterThan(4_000);
  });
});
