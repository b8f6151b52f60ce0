import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { extraRedis } from '../support/extra-redis.ts';
import { cli } from '../support/run-cli.ts';
import { openStores } from '../support/stores.ts';

/** What cannot work from the start is told in one sentence, with the way out. */
describe('the program itself', () => {
  /** Runs a copy of the entry, changed and away from everything else. */
  const ended = async (change: (source: string) => string): Promise<{ code: unknown; stderr: string }> => {
    const bin = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'entry.mjs'), change(readFileSync('bin/coupon-cli.js', 'utf8')));
    return await new Promise((resolve) => {
      execFile(process.execPath, [join(bin, 'entry.mjs')], (error, _stdout, stderr) => resolve({ code: error?.code, stderr }));
    });
  };

  test.each(['18.19.1', '20.9.0', '16.20.2'])('on Node.js %s', async (version) => {
    expect(await ended((source) => source.replace('process.versions.node.split', `'${version}'.split`))).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^error: coupon-cli needs Node\.js 20\.19 or newer.*\n$/),
    });
  });

  test('that nobody has built', async () => {
    expect(await ended((source) => source)).toEqual({ code: 2, stderr: expect.stringMatching(/^error: .*not built; .*bin\/setup.*\n$/) });
  });
});

describe('settings', () => {
  test.each<[string, string]>([
    ['COUPON_INTERVAL', '"2s"'],
    ['COUPON_KEY_STYLE', "'plain'"],
    ['COUPON_KEY_PREFIX', '"x:"'],
    ['COUPON_SCHEMA', '`x`'],
    ['COUPON_BATCH', '100"'],
    ['COUPON_LEASE', "'30s'"],
    ['PGHOST', '"127.0.0.1"'],
    ['PGPORT', '"5432"'],
    ['PGSSLMODE', '"require"'],
    ['REDIS_URL', '"redis://127.0.0.1:6379"'],
    ['DATABASE_URL', "'postgres://127.0.0.1/x'"],
  ])('%s with the quotes of a shell is named, as %s', async (name, value) => {
    const stores = { REDIS_URL: 'redis://127.0.0.1:1', ...(name.startsWith('PG') ? {} : { DATABASE_URL: 'postgres://127.0.0.1:1/x' }) };
    const argv = name === 'REDIS_URL' ? ['submit', '42', '--user', 'kim'] : ['drain', '--once', '--wait-for-stores', '0s'];
    const { exitCode, stderr } = await cli(argv, { vars: { ...stores, [name]: value } });
    expect(stderr).toMatch(/begins or ends with a quote/);
    expect(stderr).toContain('docker run --env-file');
    expect(stderr).toContain(name.endsWith('_URL') ? 'URL cannot be used' : name);
    expect(exitCode).toBe(2);
  });

  test('a password that is quoted stays as it is', async () => {
    const vars = { PGHOST: '127.0.0.1', PGPORT: '1', PGPASSWORD: '"x"' };
    expect((await cli(['inspect'], { vars })).stderr).not.toContain('quote');
  });

  test.each([
    ['COUPON_INTERVAL', '2s\r', '2s\\x0d'],
    ['COUPON_KEY_STYLE', 'plain\r', 'plain\\x0d'],
    ['COUPON_BATCH', '7\u001B[2J', '7\\x1b[2J'],
  ])('%s with a control character shows it', async (name, value, shown) => {
    await using stores = await openStores();
    const vars = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, [name]: value };
    const { exitCode, stderr } = await cli(['drain', '--once'], { vars });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(shown) });
  });

  test('a service link of Kubernetes is remarked once', async () => {
    const { stderr } = await cli(['config', 'show'], {
      vars: { COUPON_PORT: 'tcp://10.96.0.17:8080', COUPON_HEALTH_PORT: 'udp://10.0.0.1:9' },
    });
    expect(stderr.match(/service link/g)).toHaveLength(2);
  });

  test('links to services of other names are no misspelled settings', async () => {
    const { exitCode, stderr } = await cli(['config', 'show'], {
      vars: {
        COUPON_PORT_8080_TCP: 'tcp://10.96.0.17:8080',
        COUPON_PORT_8080_TCP_PORT: '8080',
        COUPON_SERVICE_HOST: '10.96.0.17',
        COUPON_BATCH_PORT: 'tcp://10.0.0.1:9090',
        COUPON_HOST_PORT: 'tcp://10.0.0.2:9090',
      },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('a Redis without some commands', () => {
  test('of those that are only looked at: the whole story', async () => {
    await using redis = await extraRedis(['CONFIG', 'CLIENT', 'OBJECT', 'COMMAND'].flatMap((name) => ['--rename-command', name, '']));
    await using stores = await openStores();
    const at = ['--redis-url', redis.url, '--database-url', stores.databaseUrl];
    for (const argv of [
      ['seed', '42', '--name', 'x', '--stock', '10'],
      ['submit', '42', '--users', '20'],
      ['drain', '--until-empty'],
      ['use', '42', 'user-1'],
      ['audit', '--scan'],
      ['inspect'],
    ]) {
      expect(await cli([...at, ...argv]), argv.join(' ')).toMatchObject({ exitCode: 0 });
    }
  });

  test.each([
    ['INFO', ['inspect']],
    ['INFO', ['drain', '--once']],
    ['EVALSHA', ['seed', '42', '--name', 'x', '--stock', '10']],
    ['HMGET', ['inspect', 'user', '42', 'kim']],
  ])('%s, which is needed, is told by its name: %j', async (command, argv) => {
    await using redis = await extraRedis(['--rename-command', command, '']);
    await using stores = await openStores();
    await stores.seed({ id: '41' });
    const { exitCode, stderr } = await cli(['--redis-url', redis.url, '--database-url', stores.databaseUrl, ...argv]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[REDIS_COMMAND_MISSING]') });
    expect(stderr).toContain(command);
  });
});
