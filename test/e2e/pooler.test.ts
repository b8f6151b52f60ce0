import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../src/stores/postgres/connection/database.ts';
import { PGBOUNCER, pgBouncer, type PgBouncer } from '../support/pgbouncer.ts';
import { cli, type CliResult } from '../support/run-cli.ts';
import { start } from '../support/processes.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const TOTAL = 200;

/** A pooler that refuses what it does not know at the start of a session, one that drops it, and one that lends for a session. */
const POOLERS = {
  'transaction mode': {},
  'transaction mode, ignoring parameters': { ignores: 'statement_timeout,idle_in_transaction_session_timeout,options' },
  'session mode': { mode: 'session', poolSize: 30, ignores: 'statement_timeout,idle_in_transaction_session_timeout,options' },
} as const;

describe.runIf(PGBOUNCER !== null).each(Object.entries(POOLERS))('through PgBouncer in %s', (_name, options) => {
  let stores: TestStores;
  let pooler: PgBouncer;
  beforeAll(async () => {
    stores = await openStores({ migrated: false });
    pooler = await pgBouncer(stores.databaseUrl, options);
  });
  afterAll(async () => {
    await pooler[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await stores.redis.flushdb();
    await stores.sql('DROP SCHEMA public CASCADE');
    await stores.sql('CREATE SCHEMA public');
  });

  const run = (...argv: string[]): Promise<CliResult> => cli(['--redis-url', stores.redisUrl, '--database-url', pooler.url, ...argv]);
  const ok = async (...argv: string[]): Promise<CliResult> => {
    const result = await run(...argv);
    if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}${result.stdout}`);
    return result;
  };

  test('two migrations at once, and the whole story with three drains', async () => {
    await Promise.all([ok('migrate'), ok('migrate')]);
    await ok('seed', 'summer', '--name', 'Summer', '--stock', String(TOTAL));
    await ok('submit', 'summer', '--users', '300');
    await Promise.all([1, 2, 3].map(() => ok('drain', '--until-empty', '--eager', '--interval', '50ms', '--batch', '20')));
    const [row] = await stores.sql('SELECT count(*)::int AS issued, count(DISTINCT user_id)::int AS users FROM issued_coupons');
    expect(row).toEqual({ issued: TOTAL, users: TOTAL });
    await ok('audit', 'summer');
    const user = String((await stores.sql('SELECT user_id FROM issued_coupons LIMIT 1'))[0]!['user_id']);
    await ok('use', 'summer', user);
    await ok('inspect', 'user', 'summer', user);
    // A lost hash is rebuilt from the ledger.
    const [key] = await stores.redis.keys('issued_coupon:*');
    await stores.redis.del(key!);
    expect((await run('audit', 'summer')).exitCode).toBe(4);
    await ok('audit', 'summer', '--repair');
    await ok('audit', 'summer');
  });

  test('an endpoint uses coupons through it', async () => {
    await ok('migrate');
    await ok('seed', 'autumn', '--name', 'Autumn', '--stock', '5');
    const server = start(['serve', '--port', '0', '--json'], { env: { REDIS_URL: stores.redisUrl, DATABASE_URL: pooler.url } });
    await until(() => server.stdout().includes('"url"'));
    const { url } = JSON.parse(server.stdout().split('\n')[0]!) as { url: string };
    await ok('submit', 'autumn', '--users', '9', '--url', url);
    server.child.kill('SIGTERM');
    expect((await server.finished).exitCode).toBe(0);
    await ok('drain', '--until-empty', '--interval', '50ms');
    expect(await stores.sql("SELECT count(*)::int AS n FROM issued_coupons WHERE coupon_id = 'autumn'")).toEqual([{ n: 5 }]);
  });

  test('no setting of a session reaches another client of the pooler', async () => {
    const database = new Database(pooler.url, { statementTimeoutMs: 4_321, readOnly: true });
    const [inside] = await database.query(
      "SELECT current_setting('statement_timeout') AS t, current_setting('jit') AS jit, current_setting('transaction_read_only') AS ro",
    );
    expect(inside).toEqual({ t: '4321ms', jit: 'off', ro: 'on' });
    await expect(database.query('CREATE TABLE nothing ()')).rejects.toMatchObject({ why: expect.stringContaining('read-only') });
    await database.close();
    const other = new Database(pooler.url, { statementTimeoutMs: 1_234 });
    expect(await other.query("SELECT current_setting('statement_timeout') AS t, current_setting('transaction_read_only') AS ro")).toEqual([
      { t: '1234ms', ro: 'off' },
    ]);
    await other.close();
  });

  test('a schema of its own holds in every transaction', async () => {
    const url = `${pooler.url}?schema=campaigns`;
    const inSchema = (...argv: string[]): Promise<CliResult> => cli(['--redis-url', stores.redisUrl, '--database-url', url, ...argv]);
    expect((await inSchema('migrate')).exitCode).toBe(0);
    expect((await inSchema('seed', 'winter', '--name', 'Winter', '--stock', '3')).exitCode).toBe(0);
    expect(await stores.sql('SELECT id FROM campaigns.coupons')).toEqual([{ id: 'winter' }]);
  });

  test('when it is killed and started again, the drain goes on', async () => {
    await ok('migrate');
    await ok('seed', 'spring', '--name', 'Spring', '--stock', '50');
    await ok('submit', 'spring', '--users', '50');
    const draining = ok('drain', '--until-empty', '--interval', '100ms', '--batch', '5');
    const issued = async () => (await stores.sql("SELECT count(*)::int AS n FROM issued_coupons WHERE coupon_id = 'spring'"))[0]!['n'];
    await until(async () => Number(await issued()) > 0);
    await pooler.kill();
    await pooler.start();
    await draining;
    expect(await issued()).toBe(50);
  });
});

describe('a schema of its own, straight', () => {
  test('by flag, by variable, by URL; a table of the shop is in nobody’s way', async () => {
    await using stores = await openStores({ migrated: false });
    await stores.sql('CREATE TABLE coupons (id int PRIMARY KEY, discount int)');
    const at = ['--redis-url', stores.redisUrl, '--database-url', stores.databaseUrl];
    const refused = await cli([...at, 'migrate']);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/TABLE_TAKEN[\s\S]*--schema coupon_cli/) });
    expect(await stores.sql("SELECT to_regclass('coupon_migrations') AS t")).toEqual([{ t: null }]);
    expect((await cli([...at, '--schema', 'coupon_cli', 'migrate'])).exitCode).toBe(0);
    const seeded = await cli([...at, 'seed', 'a', '--name', 'A', '--stock', '1'], { vars: { COUPON_SCHEMA: 'coupon_cli' } });
    expect(seeded.exitCode).toBe(0);
    const url = `${stores.databaseUrl}?options=-csearch_path%3Dcoupon_cli`;
    expect((await cli(['--redis-url', stores.redisUrl, '--database-url', url, 'audit', 'a'])).exitCode).toBe(0);
    expect(await stores.sql('SELECT count(*)::int AS n FROM coupons')).toEqual([{ n: 0 }]);
    expect(await stores.sql('SELECT id FROM coupon_cli.coupons')).toEqual([{ id: 'a' }]);
    expect((await cli([...at, '--schema', 'a"b', 'migrate'])).exitCode).toBe(2);
  });
});
