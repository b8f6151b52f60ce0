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

test('revoke takes a coupon back, and a use is refused with an outcome of its own', async () => {
  const revoke = (...flags: string[]) => cli(['revoke', '42', 'minji', '--reason', 'order cancelled', ...flags, ...at(stores)]);
  expect((await revoke('--dry-run')).stdout).toBe('coupon 42 of minji would be revoked; nothing was changed\n');
  const done = await revoke('--return-stock', '--json');
  expect(done.json()).toMatchObject({ couponId: '42', userId: 'minji', returnStock: true, outcome: 'done' });
  expect((await revoke()).stdout).toContain('was revoked before');
  const used = await cli(['use', '42', 'minji', ...at(stores)]);
  expect(used).toMatchObject({ exitCode: 2, stdout: '' });
  expect(used.stderr).toContain('[REVOKED]');
  expect((await cli(['log', ...at(stores)])).stdout).toMatch(/42\s+revoke user minji returnStock true\s+.*order cancelled/);
  expect(await cli(['audit', '--scan', ...at(stores)])).toMatchObject({ exitCode: 0 });
  const empty = await cli(['revoke', '42', 'minji', '--reason', ' ', ...at(stores)]);
  expect(empty.stderr).toContain('[REVOKE_USAGE]');
});
