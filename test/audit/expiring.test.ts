import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { issueWaiting } from '../support/issue.ts';
import { at, cli } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.clear());

const USERS = ['kim', 'lee', 'min'];
const hash = (userId: string): string => `issued_coupon:coupon:c-user:${userId}`;

async function campaign(expiresAt: Date | null): Promise<void> {
  await stores.seed({ id: 'c', total: 10, ...(expiresAt ? { expiry: { kind: 'at', at: expiresAt } } : {}) });
  await stores.admission.admit(
    'c',
    USERS.map((userId) => ({ userId, requestId: userId })),
  );
  await issueWaiting(stores, 'c');
}

const audit = async (...flags: string[]) => {
  const result = await cli(['audit', 'c', ...at(stores), ...flags]);
  return {
    ...result,
    report: flags.includes('--json')
      ? result.json<{ notes: { code: string; count: number; sample: string[] }[]; findings: { code: string }[] }>()
      : null,
  };
};

test('keys with a TTL are named with the way out while they are there, and are no finding', async () => {
  await campaign(null);
  expect((await audit('--json')).report!.notes).toEqual([]);
  await stores.redis.expire('coupon:c', 1_000);
  await stores.redis.expire('coupon_admitted:c', 1_000);
  for (const userId of USERS) await stores.redis.expire(hash(userId), 1_000);
  const { exitCode, report } = await audit('--json');
  expect(exitCode).toBe(0);
  expect(report!.notes.map(({ code, count, sample }) => ({ code, count, sample: sample.toSorted() }))).toEqual([
    { code: 'key_expires', count: 2, sample: ['coupon:c', 'coupon_admitted:c'] },
    { code: 'hash_expires', count: 3, sample: USERS.map(hash) },
  ]);
  const { stdout } = await audit();
  expect(stdout).toMatch(/key_expires[\s\S]*PERSIST[\s\S]*coupon_admitted:c/);
  for (const key of ['coupon:c', 'coupon_admitted:c', ...USERS.map(hash)]) await stores.redis.persist(key);
  expect((await audit('--json')).report!.notes).toEqual([]);
});

test('a hash that is gone while its coupon is valid is missing; one that went with its coupon is not', async () => {
  await campaign(new Date(Date.now() + 86_400_000));
  await stores.redis.pexpire(hash('kim'), 1);
  await until(async () => (await stores.redis.exists(hash('kim'))) === 0);
  expect((await audit('--json')).report!.findings.map(({ code }) => code)).toEqual(['hash_missing']);

  await stores.clear();
  await campaign(new Date(Date.now() + 1_500));
  await until(async () => (await stores.sql('SELECT FROM issued_coupons WHERE expires_at > clock_timestamp()')).length === 0);
  await stores.redis.pexpire(hash('kim'), 1);
  await until(async () => (await stores.redis.exists(hash('kim'))) === 0);
  expect(await audit('--json')).toMatchObject({ exitCode: 0, report: { findings: [] } });
});

test('a user of Redis who may not ask for a TTL audits all the same', async () => {
  await campaign(null);
  await stores.redis.expire('coupon:c', 1_000);
  await stores.redis.acl('SETUSER', 'nottl', 'on', '>pw-without-ttl', '~*', '+@all', '-pttl');
  const url = new URL(stores.redisUrl);
  [url.username, url.password] = ['nottl', 'pw-without-ttl'];
  const result = await cli(['audit', 'c', '--redis-url', url.href, '--database-url', stores.databaseUrl, '--json']);
  await stores.redis.acl('DELUSER', 'nottl');
  expect(result).toMatchObject({ exitCode: 0 });
  expect(result.json()).toMatchObject({ ok: true, notes: [] });
});
