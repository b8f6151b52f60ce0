import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isReplyLost } from '../../src/lib/errors.ts';
import { confirmedAdmission } from '../../src/stores/redis/confirmed.ts';
import { extraRedis } from '../support/extra-redis.ts';
import { cli, type CliResult } from '../support/run-cli.ts';
import { sentinels } from '../support/sentinels.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

function runner(redisUrl: string) {
  return (...argv: string[]): Promise<CliResult> => cli(['--redis-url', redisUrl, '--database-url', stores.databaseUrl, ...argv]);
}

describe('a Redis that may evict keys is refused at the door', () => {
  test.each(['allkeys-lru', 'volatile-ttl'])('%s', async (policy) => {
    await using redis = await extraRedis(['--maxmemory', '100mb', '--maxmemory-policy', policy]);
    const run = runner(redis.url);
    const id = `evicts-${policy}`;
    for (const argv of [
      ['seed', id, '--name', 'X', '--stock', '5'],
      ['drain', '--once'],
      ['serve', '--port', '0'],
    ]) {
      const { exitCode, stderr } = await run(...argv);
      expect({ argv, exitCode, stderr }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(new RegExp(`REDIS_EVICTS|${policy}`)),
      });
    }
    expect(await stores.sql('SELECT id FROM coupons WHERE id = $1', [id])).toEqual([]);
    const insisted = await run('seed', id, '--name', 'X', '--stock', '5', '--allow-eviction');
    expect(insisted).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`maxmemory-policy ${policy}`) });
    expect((await run('drain', id, '--once', '--allow-eviction')).exitCode).toBe(0);
  });
});

describe('what makes "accepted" weaker is said', () => {
  test.each([
    ['no append-only file', ['--appendonly', 'no'], /no append-only file/],
    ['everysec', ['--appendfsync', 'everysec'], /appendfsync everysec/],
    ['no fsync', ['--appendfsync', 'no'], /appendfsync no/],
  ])('%s', async (name, args, words) => {
    await using redis = await extraRedis(args);
    const { exitCode, stderr } = await runner(redis.url)('seed', `weak-${name.replaceAll(' ', '-')}`, '--name', 'X', '--stock', '5');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(words) });
  });

  test('a user without CONFIG is not told what cannot be known', async () => {
    await using redis = await extraRedis(['--appendfsync', 'everysec']);
    const address = new URL(redis.url);
    const admin = await import('ioredis').then(({ Redis }) => new Redis(redis.url));
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-config');
    admin.disconnect();
    const { exitCode, stderr } = await runner(`redis://app:pw@${address.host}`)('seed', 'quiet', '--name', 'X', '--stock', '5');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('PostgreSQL that does not wait for its disk', async () => {
    const { pathname } = new URL(stores.databaseUrl);
    await stores.sql(`ALTER DATABASE ${pathname.slice(1)} SET synchronous_commit = off`);
    const { stderr } = await runner(stores.redisUrl)('drain', '--once');
    await stores.sql(`ALTER DATABASE ${pathname.slice(1)} RESET synchronous_commit`);
    expect(stderr).toContain('synchronous_commit off');
  });
});

describe('--accepted-means', () => {
  test('replica: nobody is accepted whom no replica has, and all are with one', async () => {
    const alone = runner(stores.redisUrl);
    await alone('seed', 'means', '--name', 'X', '--stock', '5');
    const confirmed = confirmedAdmission(stores.admission, stores.connection, 'plain');
    const refused = await confirmed.admit('means', [{ userId: 'kim', requestId: 'r1' }]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'REPLICA_UNCONFIRMED', kind: 'unreachable' });
    expect(isReplyLost(refused)).toBe(true);
    // Asked again with what one server's disk means, the same user is accepted already.
    expect((await alone('submit', 'means', '--user', 'kim', '--json')).json()).toMatchObject({ outcomes: { duplicate: 1 } });

    await using watched = await sentinels();
    const run = runner(watched.url);
    await run('seed', 'means-2', '--name', 'X', '--stock', '50');
    for (const means of ['replica', 'both']) {
      const { stdout, stderr } = await run(
        'submit',
        'means-2',
        '--users',
        '20',
        '--prefix',
        `${means}-`,
        '--accepted-means',
        means,
        '--json',
      );
      expect({ outcomes: (JSON.parse(stdout) as { outcomes: object }).outcomes, stderr }).toMatchObject({ outcomes: { accepted: 20 } });
    }
    // The primary dies at once: everybody who was told is still there.
    await watched.failOver();
    await run('drain', 'means-2', '--until-empty', '--interval', '50ms');
    expect(await stores.sql("SELECT count(*)::int AS n FROM issued_coupons WHERE coupon_id = 'means-2'")).toEqual([{ n: 40 }]);
  });

  test('both needs a disk that is waited for; another word is refused', async () => {
    await using redis = await extraRedis(['--appendfsync', 'everysec']);
    const serve = await runner(redis.url)('serve', '--port', '0', '--accepted-means', 'both');
    expect(serve).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('REDIS_NOT_DURABLE') });
    const wrong = await runner(redis.url)('serve', '--port', '0', '--accepted-means', 'replicas');
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('replica') });
  });
});
