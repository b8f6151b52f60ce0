import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { issueWaiting } from '../../support/issue.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;

beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: '42' });
  await stores.admission.admit('42', [{ userId: 'minji', requestId: 'r' }]);
});

const use = (...argv: string[]) => cli(['use', ...argv, ...at(stores)]);

test('marks an issued coupon as used in both stores', async () => {
  await issueWaiting(stores, '42');
  const result = await use('42', 'minji', '--json');
  const { usedAt } = result.json<{ usedAt: string }>();
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(result.json()).toEqual({ couponId: '42', userId: 'minji', usedAt, repeated: false });
  expect(await stores.redis.hget('issued_coupon:coupon:42-user:minji', 'used_at')).toBe(usedAt);
  const [row] = await stores.sql('SELECT used_at FROM issued_coupons');
  expect((row!['used_at'] as Date).toISOString()).toBe(usedAt);
});

test('a second use is refused, unless it is the same one', async () => {
  await issueWaiting(stores, '42');
  const first = await use('42', 'minji', '--use-id', 'order-1', '--json');
  const again = await use('42', 'minji', '--use-id', 'order-1', '--json');
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.json()).toEqual({ ...first.json(), repeated: true });
  const other = await use('42', 'minji');
  expect(other).toMatchObject({ exitCode: 2, stdout: '' });
  expect(other.stderr).toContain('[ALREADY_USED]');
});

test('a repeat heals a hash that did not follow', async () => {
  await issueWaiting(stores, '42');
  await use('42', 'minji', '--use-id', 'order-1');
  await stores.redis.hset('issued_coupon:coupon:42-user:minji', 'used_at', '');
  await use('42', 'minji');
  expect(await stores.redis.hget('issued_coupon:coupon:42-user:minji', 'used_at')).not.toBe('');
});

test('a coupon that Redis has lost is a warning: the ledger has decided', async () => {
  await issueWaiting(stores, '42');
  await stores.redis.flushdb();
  const result = await use('42', 'minji');
  expect(result.exitCode).toBe(0);
  expect(result.stderr).toContain('audit 42');
  expect(await stores.redis.dbsize()).toBe(0);
});

test('a use between commit and ack is not undone by the ack', async () => {
  const { epoch } = (await stores.ledger.coupon('42'))!;
  const claimed = await stores.claims.claim('42', { epoch, limit: 1, leaseMs: 30_000, worker: 'w' });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  const issued = await stores.ledger.issue('42', claimed.claims, { epoch, worker: 'w', timeoutMs: 10_000 });
  if (issued.status !== 'ok') throw new Error(issued.status);
  expect(await use('42', 'minji')).toMatchObject({ exitCode: 0, stderr: '' });
  await stores.claims.ack('42', epoch, issued.rows);
  expect(await stores.redis.hget('issued_coupon:coupon:42-user:minji', 'used_at')).not.toBe('');
});

test('who waits has nothing to use', async () => {
  const result = await use('42', 'minji');
  expect(result).toMatchObject({ exitCode: 2, stdout: '' });
  expect(result.stderr).toContain('[NOT_ISSUED]');
});

test('an expired coupon, and a revoked one, are refused', async () => {
  await issueWaiting(stores, '42');
  await stores.sql("UPDATE issued_coupons SET expires_at = '2020-01-01T00:00:00Z'");
  const expired = await use('42', 'minji', '--json');
  expect(expired.exitCode).toBe(2);
  expect(JSON.parse(expired.stderr)).toMatchObject({ error: { code: 'EXPIRED' }, exitCode: 2 });
  await stores.sql('UPDATE issued_coupons SET revoked_at = now()');
  expect((await use('42', 'minji')).stderr).toContain('[REVOKED]');
});

test.each([
  [['-42', 'minji'], 'BAD_COUPON_ID'],
  [['42'], 'USAGE'],
  [['42', 'min ji'], 'BAD_USER_ID'],
  [['a/b', 'minji'], 'BAD_COUPON_ID'],
  [['42', 'minji', '--use-id', ''], 'BAD_USE_ID'],
])('refuses %j before it touches a store', async (argv, code) => {
  const result = await cli(['use', ...argv, '--redis-url', 'redis://127.0.0.1:1', '--database-url', 'postgres://127.0.0.1:1/x']);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain(`[${code}]`);
});
