/** `--quiet`: a command that changes something says nothing when it has done it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { reportCoupon } from '../../support/foreign-coupon.ts';
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
  await issueWaiting(stores, '42');
});

const EVENT = 'coupons: [{ id: "42", name: Other, total: 100 }]';

test.each<[string, string[], { stdin?: string }]>([
  ['seed', ['seed', 'new', '--name', 'N', '--stock', '3'], {}],
  ['seed again', ['seed', '42', '--name', 'Test', '--stock', '100'], {}],
  ['seed --file', ['seed', '--file', '-'], { stdin: 'coupons: [{ id: a, name: A, total: 1 }, { id: b, name: B, total: 1 }]' }],
  ['seed --reset', ['seed', '42', '--name', 'N', '--stock', '3', '--reset', '--confirm=42'], {}],
  ['submit', ['submit', '42', '--users', '3'], {}],
  ['drain --once', ['drain', '--once'], {}],
  ['use', ['use', '42', 'minji', '--use-id', 'order-1'], {}],
  ['pause', ['pause', '42'], {}],
  ['restock', ['restock', '42', '--add', '1'], {}],
  ['extend', ['extend', '42', '--closes-at', 'in 2h'], {}],
  ['rename', ['rename', '42', '--name', 'Other'], {}],
  ['edit', ['edit', '--file', '-', '--confirm'], { stdin: EVENT }],
  ['close', ['close', '42'], {}],
  ['revoke', ['revoke', '42', 'minji', '--reason', 'x'], {}],
  ['forget', ['forget', 'minji', '--confirm'], {}],
  ['migrate', ['migrate'], {}],
])('%s is silent, and its JSON document is not', async (_name, argv, options) => {
  expect(await cli([...argv, '--quiet', ...at(stores)], options)).toEqual(expect.objectContaining({ exitCode: 0, stdout: '', stderr: '' }));
  const { stdout } = await cli([...argv, '--quiet', '--json', ...at(stores)], options);
  expect(stdout).not.toBe('');
});

test('adopt and purge are silent, too', async () => {
  await reportCoupon(stores.redis, 'shop');
  const silent = expect.objectContaining({ exitCode: 0, stdout: '', stderr: '' });
  expect(await cli(['adopt', 'shop', '-q', ...at(stores)])).toEqual(silent);
  await cli(['drain', '--until-empty', ...at(stores)]);
  await cli(['close', 'shop', ...at(stores)]);
  expect(await cli(['purge', 'shop', '--confirm=shop', '--force', '-q', ...at(stores)])).toEqual(silent);
});

test.each([
  ['a list', ['inspect']],
  ['a finding of an audit', ['audit']],
  ['a plan', ['pause', '42', '--dry-run']],
  ['a refusal', ['resume', 'nope']],
])('%s is told all the same', async (_name, argv) => {
  const { stdout, stderr } = await cli([...argv, '--quiet', ...at(stores)]);
  expect(stdout + stderr).not.toBe('');
});
