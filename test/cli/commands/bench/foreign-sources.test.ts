import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { oddServer } from '../../../support/odd-server.ts';
import { at, cli, type CliResult } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

/** Services that keep their stock in a string or a table, and their buyers in one key. */
const TOTAL = 30;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
  await stores.sql('CREATE TABLE product (id text PRIMARY KEY, stock int, sold_at timestamptz)');
  await stores.sql('CREATE TABLE sale (product_id text, buyer text, created_at timestamptz NOT NULL DEFAULT now())');
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE product, sale');
  await stores.sql(`INSERT INTO product VALUES ('p1', ${TOTAL})`);
  await stores.redis.set('sale:p1:left', String(TOTAL));
});

type Kind = 'set' | 'zset' | 'hash';

const ADD: Record<Kind, string> = {
  set: "redis.call('SADD', KEYS[2], ARGV[1])",
  zset: "redis.call('ZADD', KEYS[2], redis.call('ZCARD', KEYS[2]), ARGV[1])",
  hash: "redis.call('HSET', KEYS[2], ARGV[1], '1')",
};
const HAS: Record<Kind, string> = {
  set: "redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1",
  zset: "redis.call('ZSCORE', KEYS[2], ARGV[1])",
  hash: "redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1",
};

/** @param extra sells so many more than there are */
async function benched(kind: Kind, verify: object, { extra = 0, forgets = false } = {}): Promise<CliResult> {
  const script = `if ${HAS[kind]} then return 409 end
    if tonumber(redis.call('GET', KEYS[1])) <= ${-extra} then return 410 end
    redis.call('DECR', KEYS[1])
    ${ADD[kind]}
    return 201`;
  await using server = await oddServer((reply, { userId }, nth) => {
    void stores.redis.eval(script, 2, 'sale:p1:left', 'sale:p1:buyers', userId).then(async (status) => {
      if (status === 201) {
        await stores.sql(`UPDATE product SET stock = stock - 1 WHERE id = 'p1'`);
        if (!(forgets && nth % 7 === 0)) await stores.sql(`INSERT INTO sale VALUES ('p1', '${userId}')`);
      }
      reply.writeHead(Number(status)).end('{}');
    });
  });
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'sources.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      name: 'sources',
      coupons: [{ id: 'p1', total: TOTAL }],
      users: { count: 90, duplicateRate: 0.3 },
      request: { path: '/buy', json: { userId: '{{userId}}' } },
      outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
      phases: [{ vus: 10, maxDuration: '20s' }],
      settle: { timeout: '1s', quietFor: '100ms' },
      verify: { skip: ['first_come_first_served'], ...verify },
    }),
  );
  return await cli([...at(stores), 'bench', path, '--url', server.url, '--json']);
}

const IN_REDIS = { redis: { keys: { stock: 'sale:{couponId}:left', issuedUsers: 'sale:{couponId}:buyers', queue: null } } };
const IN_TABLES = {
  sql: { query: 'SELECT buyer AS user_id, created_at AS persisted_at FROM sale WHERE product_id = $1' },
  stockSql: { query: 'SELECT stock FROM product WHERE id = $1;' },
};

describe.each(['set', 'zset', 'hash'] as const)('stock in a string, buyers in a %s', (kind) => {
  test('a sound service is proven', async () => {
    const result = await benched(kind, IN_REDIS);
    if (result.stdout === '') throw new Error(result.stderr);
    const { verdict, integrity, exitCode } = result.json<BenchReport>();
    expect({ verdict, open: integrity.filter((one) => one.status !== 'pass'), exitCode }).toMatchObject({
      verdict: { integrity: 'pass' },
      open: [{ check: 'first_come_first_served' }],
      exitCode: 0,
    });
  });

  test('one that sells too many is found, and strangers among the buyers are', async () => {
    expect((await benched(kind, IN_REDIS, { extra: 3 })).exitCode).toBe(4);
    await stores.redis.del('sale:p1:buyers');
    await stores.redis.set('sale:p1:left', String(TOTAL));
    const used = await benched(kind, IN_REDIS);
    expect(used.exitCode).toBe(0);
    const again = await benched(kind, IN_REDIS);
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('COUPON_NOT_FRESH') });
  });
});

describe('stock and sales in tables', () => {
  test('a sound service is proven; when a worker wrote a row accuses nobody of unfairness', async () => {
    const report = (await benched('set', IN_TABLES)).json<BenchReport>();
    expect(report).toMatchObject({ verdict: { integrity: 'pass' }, exitCode: 0 });
    expect(report.integrity.find(({ check }) => check === 'stock_adds_up')).toMatchObject({ status: 'pass' });
    expect(report.throughput.issuesPerSecond).toBeGreaterThan(0);
  });

  test('one that forgets buyers is not', async () => {
    const report = (
      await benched('set', { ...IN_TABLES, redis: IN_REDIS.redis, stockSql: undefined }, { forgets: true })
    ).json<BenchReport>();
    expect(report.exitCode).not.toBe(0);
    expect(report.integrity.find(({ check }) => check === 'accepted_are_issued')!.count).toBeGreaterThan(0);
  });
});

describe('a mistake comes to light before the load: exit 2', () => {
  test.each<[string, object, RegExp]>([
    [
      'a stock that is no number',
      { redis: { keys: { stock: 'text', queue: null, issued: null } } },
      /keys\.stock.*"text" holds "plenty", which is no whole number/,
    ],
    ['a stock of another type', { redis: { keys: { stock: 'list', queue: null, issued: null } } }, /keys\.stock.*"list" is no string/],
    ['no stock at all', { redis: { keys: { stock: 'none', queue: null, issued: null } } }, /has no coupon "p1"; nothing was sent/],
    [
      'buyers of another type',
      { redis: { keys: { stock: 'sale:p1:left', queue: null, issuedUsers: 'list' } } },
      /issuedUsers.*"list" is a list, expected a set, a sorted set or a hash/,
    ],
    [
      'a stock query without a row',
      { stockSql: { query: "SELECT stock FROM product WHERE id = $1 AND id = 'x'" } },
      /it gives 0 rows for coupon p1, not one/,
    ],
    ['a stock query of two columns', { stockSql: { query: 'SELECT id, stock FROM product WHERE id = $1' } }, /it gives 2 columns, not one/],
    ['a stock query that gives NULL', { stockSql: { query: 'SELECT sold_at FROM product WHERE id = $1' } }, /it gives NULL for coupon p1/],
    ['a stock query that is no SQL', { stockSql: { query: 'SELEKT $1' } }, /verify\.stockSql cannot be used[\s\S]*syntax error/],
    ['a stock query without $1', { stockSql: { query: 'SELECT 1' } }, /verify\.stockSql\.query: needs \$1/],
    ['two sources of one thing', { redis: { keys: { coupon: 'c', stock: 's', queue: null } } }, /keep one/],
  ])('%s', async (_name, verify, words) => {
    await stores.redis.set('text', 'plenty');
    await stores.redis.rpush('list', 'a');
    const { exitCode, stderr } = await benched('set', verify);
    const { message, why = '' } = (JSON.parse(stderr) as { error: { message: string; why?: string } }).error;
    expect(`${message}\n${why}`).toMatch(words);
    expect(exitCode).toBe(2);
  });
});
