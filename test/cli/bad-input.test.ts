import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extraRedis } from '../support/extra-redis.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('bad input', () => {
  let stores: TestStores;
  beforeAll(async () => {
    stores = await openStores();
    await stores.seed({ id: '42', name: 'There', total: 100 });
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  /** Everything in both stores, to see that nothing was changed. */
  async function snapshot(): Promise<string> {
    const keys = (await stores.redis.keys('*')).toSorted();
    const values = await Promise.all(keys.map(async (key) => [key, await stores.redis.dump(key)]));
    const rows = await stores.sql(
      'SELECT coupons::text AS row FROM coupons UNION ALL SELECT issued_coupons::text FROM issued_coupons ORDER BY 1',
    );
    return JSON.stringify([values, rows]);
  }

  it.each([
    ['an unknown command, with a suggestion', ['dran'], 'USAGE', 'drain'],
    ['an unknown flag, with a suggestion', ['drain', '--intervall', '2s'], 'USAGE', '--interval'],
    ['help for a command that does not exist', ['help', 'sed'], 'USAGE', 'seed'],
    ['a missing argument, with the usage', ['use', '42'], 'USAGE', 'Usage: coupon-cli use [options] <id> <user>'],
    ['a missing argument of a subcommand', ['inspect', 'issued'], 'USAGE', 'Usage: coupon-cli inspect issued [options] <id>'],
    ['-v for the version', ['-v'], 'USAGE', '--version'],
    ['what another tool calls it', ['winners'], 'USAGE', 'did you mean "export"?'],
    ['a missing subcommand', ['config'], 'USAGE', '--help'],
    ['a seed without a name', ['seed', '43', '--stock', '5'], 'SEED_USAGE', '--name'],
    ['a bad coupon id', ['seed', 'a b', '--name', 'x', '--stock', '5'], 'BAD_COUPON_ID', 'letters'],
    ['a negative stock', ['seed', '43', '--name', 'x', '--stock', '-5'], 'BAD_NUMBER', 'whole number'],
    ['an absurd stock', ['seed', '43', '--name', 'x', '--stock', '999999999999'], 'BAD_NUMBER', '100000000'],
    ['a name of control characters', ['seed', '43', '--name', 'a\u001b[2J', '--stock', '5'], 'BAD_NAME', 'visible'],
    ['a bad date', ['seed', '43', '--name', 'x', '--stock', '5', '--opens-at', 'tomorrow'], 'BAD_DATE', 'ISO 8601'],
    ['a bad duration', ['seed', '43', '--name', 'x', '--stock', '5', '--valid-for', '30'], 'BAD_DURATION', '30d'],
    [
      'closing before opening',
      ['seed', '43', '--name', 'x', '--stock', '5', '--opens-at', '2026-12-25T00:00Z', '--closes-at', '2026-12-24T00:00Z'],
      'BAD_WINDOW',
      '--closes-at',
    ],
    ['a different seed for a coupon that exists', ['seed', '42', '--name', 'There', '--stock', '200'], 'SEED_CONFLICT', '--reset'],
    ['a reset without confirmation', ['seed', '42', '--name', 'There', '--stock', '200', '--reset'], 'CONFIRM_NEEDED', '--confirm=42'],
    [
      'a reset with the wrong confirmation',
      ['seed', '42', '--name', 'x', '--stock', '2', '--reset', '--confirm=43'],
      'CONFIRM_NEEDED',
      '--confirm=42',
    ],
    ['an event file that is not there', ['seed', '--file', '/nowhere.yaml'], 'BAD_EVENT_FILE', 'readable'],
    [
      'a config file that is not there',
      ['--config', '/nowhere', 'seed', '43', '--name', 'x', '--stock', '5'],
      'BAD_CONFIG_FILE',
      'readable',
    ],
    ['an unknown key style', ['--key-style', 'curly', 'seed', '43', '--name', 'x', '--stock', '5'], 'BAD_KEY_STYLE', 'hash-tag'],
    ['another key style than the coupon has', ['--key-style', 'hash-tag', 'drain', '42', '--once'], 'KEY_STYLE_MISMATCH', 'plain'],
    ['a batch of nothing', ['drain', '--once', '--batch', '0'], 'BAD_NUMBER', '1 to 1000'],
    ['a bad interval', ['drain', '--once', '--interval', '2'], 'BAD_DURATION', '2s'],
    ['two ways to end', ['drain', '--once', '--until-empty'], 'DRAIN_USAGE', 'one of them'],
    ['a coupon that is unknown', ['drain', '99', '--once'], 'COUPON_UNKNOWN', 'seed 99'],
  ])('%s: one message with a fix, exit 2, nothing changed', async (_name, argv, code, fix) => {
    const before = await snapshot();
    const result = await cli([...at(stores), ...argv]);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(`[${code}]`);
    expect(result.stderr).toMatch(/^ {2}fix: /m);
    expect(result.stderr).toContain(fix);
    expect(await snapshot()).toBe(before);
  });

  it('an event file with mistakes gets line and column of each', async () => {
    const stdin = 'coupons:\n  - id: a\n    name: A\n    total: -5\n  - id: b\n    nam: B\n    total: 5\n';
    const result = await cli([...at(stores), 'seed', '--file', '-'], { stdin });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('stdin:4:5 coupons[0].total:');
    expect(result.stderr).toMatch(/stdin:6:5 coupons\[1\]\.nam: is an unknown key; did you mean "name"\?/);
    expect(await stores.ledger.coupon('a')).toBeNull();
  });

  it('YAML that is none gets line and column', async () => {
    const result = await cli([...at(stores), 'seed', '--file', '-'], { stdin: 'coupons: [\n' });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/stdin:2:1 /);
  });

  it.each(['http://127.0.0.1', 'redis://', 'nonsense', 'redis://127.0.0.1/seven'])('a Redis URL like %s is refused', async (url) => {
    const result = await cli([...at(stores), '--redis-url', url, 'drain', '--once']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('[BAD_REDIS_URL]');
  });

  it.each(['mysql://127.0.0.1/x', 'nonsense', 'postgres://u:S3CRET@127.0.0.1/x?sslmode=sometimes'])(
    'a database URL like %s is refused, and not repeated',
    async (url) => {
      const result = await cli([...at(stores), '--database-url', url, 'migrate']);
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain('[BAD_DATABASE_URL]');
      expect(result.stderr).not.toContain('S3CRET');
    },
  );

  it('a Redis that is down is exit 3, and says where it should have been', async () => {
    const port = await deadPort();
    const result = await cli([
      ...at(stores),
      '--redis-url',
      `redis://:S3CRET@127.0.0.1:${port}`,
      'seed',
      '43',
      '--name',
      'x',
      '--stock',
      '5',
    ]);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain(`[REDIS_DOWN]`);
    expect(result.stderr).toContain(`127.0.0.1:${port}`);
    expect(result.stderr).toContain('ECONNREFUSED');
    expect(result.stderr).not.toContain('S3CRET');
    expect(await stores.ledger.coupon('43')).toBeNull();
  });

  it('a PostgreSQL that is down is exit 3', async () => {
    const port = await deadPort();
    const before = await stores.redis.dbsize();
    const result = await cli([
      ...at(stores),
      '--database-url',
      `postgres://u:S3CRET@127.0.0.1:${port}/x`,
      'seed',
      '43',
      '--name',
      'x',
      '--stock',
      '5',
    ]);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('[DATABASE_DOWN]');
    expect(result.stderr).not.toContain('S3CRET');
    expect(await stores.redis.dbsize()).toBe(before);
  });

  it('a wrong password is a wrong configuration, and appears nowhere, not even with --debug', async () => {
    await using redis = await extraRedis([], 'right');
    for (const debug of [[], ['--debug'], ['--json']]) {
      const wrong = await cli([...at(stores), ...debug, '--redis-url', `redis://:S3CRET@127.0.0.1:${redis.port}`, 'drain', '--once']);
      expect(wrong.exitCode).toBe(2);
      expect(wrong.stderr).toContain('REDIS_AUTH');
      expect(wrong.stdout + wrong.stderr).not.toContain('S3CRET');
    }
    const none = await cli([...at(stores), '--redis-url', redis.url, 'drain', '--once']);
    expect(none.stderr).toContain('REDIS_AUTH');
    const database = new URL(stores.databaseUrl);
    database.password = 'S3CRET';
    const wrong = await cli([...at(stores), '--database-url', database.href, '--debug', 'migrate']);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('DATABASE_AUTH');
    expect(wrong.stderr).not.toContain('S3CRET');
  });

  it('a Redis in cluster mode whose slots nobody holds is told as that', async () => {
    await using redis = await extraRedis(['--cluster-enabled', 'yes']);
    const result = await cli([...at(stores), '--redis-url', redis.url, 'seed', '43', '--name', 'x', '--stock', '5']);
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('[REDIS_CLUSTER_WITHOUT_SLOTS]');
    expect(result.stderr).toContain('redis-cli --cluster create');
    expect(await stores.ledger.coupon('43')).toBeNull();
  });

  it('a database without the schema, or with an older or newer one, is refused with the way out', async () => {
    await using bare = await openStores({ migrated: false });
    const seed = ['seed', '43', '--name', 'x', '--stock', '5'];
    const missing = await cli([...at(bare), ...seed]);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('[SCHEMA_MISSING]');
    expect(missing.stderr).toContain('coupon-cli migrate');
    await cli([...at(bare), 'migrate']);
    await bare.sql('UPDATE coupon_migrations SET version = -version');
    expect((await cli([...at(bare), ...seed])).stderr).toContain('[SCHEMA_MISSING]');
    await bare.sql('UPDATE coupon_migrations SET version = 999 - version');
    const newer = await cli([...at(bare), ...seed]);
    expect(newer.exitCode).toBe(2);
    expect(newer.stderr).toContain('[SCHEMA_TOO_NEW]');
    expect(await bare.redis.dbsize()).toBe(0);
  });

  it('a coupon that Redis does not know is named', async () => {
    await stores.seed({ id: 'half', name: 'Half', total: 5 });
    await stores.redis.del('coupon:half');
    const result = await cli([...at(stores), 'seed', 'half', '--name', 'Half', '--stock', '5']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('[COUPON_NOT_IN_REDIS]');
    expect(await stores.redis.exists('coupon:half')).toBe(0);
    const drained = await cli([...at(stores), 'drain', 'half', '--once']);
    expect(drained.exitCode).toBe(4);
    expect(drained.stderr).toContain('[COUPON_SUSPECT]');
  });

  it('with --json the error is a document too', async () => {
    const result = await cli([...at(stores), '--json', 'drain', '99', '--once']);
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: 'COUPON_UNKNOWN' }, exitCode: 2 });
    expect(result.stdout).toBe('');
  });
});
