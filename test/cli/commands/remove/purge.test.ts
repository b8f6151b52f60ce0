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

test('purge asks for the id once more, and for an export, which the log remembers', async () => {
  const run = (...argv: string[]) => cli([...argv, ...at(stores)]);
  expect((await run('purge', '42')).stderr).toContain('[CONFIRM_NEEDED]');
  expect((await run('purge', '42', '--confirm=42')).stderr).toContain('[COUPON_OPEN]');
  await run('close', '42');
  expect((await run('purge', '42', '--confirm=42')).stderr).toContain('[NOT_EXPORTED]');
  expect((await run('export', '42')).stdout).toContain('minji');
  expect((await run('purge', '42', '--dry-run')).stdout).toBe('coupon 42 and its 1 issued coupon would be removed; nothing was changed\n');
  const done = await run('purge', '42', '--confirm=42', '--json');
  expect(done.json()).toEqual({ couponId: '42', rows: 1, outcome: 'done' });
  expect((await run('purge', '42', '--confirm=42')).stdout).toContain('were removed before');
  const log = await run('log', '42');
  for (const words of [/export rows 1 format csv/, /purge rows 1/]) expect(log.stdout).toMatch(words);
  expect((await run('audit')).exitCode).toBe(0);
});
