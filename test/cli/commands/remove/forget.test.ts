import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { issueWaiting } from '../../../support/issue.ts';
import { at, cli } from '../../../support/run-cli.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: '42' });
  await stores.admission.admit('42', [{ userId: 'minji', requestId: 'r' }]);
  await issueWaiting(stores, '42');
});

test('forget says where the user is, asks for --confirm, and names the user nowhere afterwards', async () => {
  const unconfirmed = await cli(['forget', 'minji', ...at(stores)]);
  expect(unconfirmed).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unconfirmed.stderr).toContain('[CONFIRM_NEEDED]');
  const dry = await cli(['forget', 'minji', '--dry-run', ...at(stores)]);
  expect(dry.stdout).toMatch(/42\s+issued\s+would be replaced by a tombstone/);
  const done = await cli(['forget', 'minji', '--confirm', '--json', ...at(stores)]);
  expect(done.json()).toEqual({ dryRun: false, coupons: [{ couponId: '42', place: 'issued', outcome: 'done' }] });
  expect((await cli(['forget', 'minji', '--confirm', ...at(stores)])).stdout).toContain('no coupon knows this user');
  const log = await cli(['log', ...at(stores)]);
  expect(log.stdout).toMatch(/42\s+forget/);
  expect(log.stdout).not.toContain('minji');
  expect(await cli(['audit', '--scan', ...at(stores)])).toMatchObject({ exitCode: 0 });
});

test('audit --except leaves a user out, and does not go with --repair', async () => {
  await stores.redis.del('issued_coupon:coupon:42-user:minji');
  expect((await cli(['audit', ...at(stores)])).exitCode).toBe(4);
  expect(await cli(['audit', '42', '--except', 'minji', 'somebody', ...at(stores)])).toMatchObject({ exitCode: 0 });
  const refused = await cli(['audit', '--repair', '--except', 'minji', ...at(stores)]);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stderr).toContain('[AUDIT_USAGE]');
});
