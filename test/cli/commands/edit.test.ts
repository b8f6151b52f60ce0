import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { at, cli, type CliOptions } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
  for (const id of ['summer', 'winter']) await stores.seed({ id, name: 'Old', total: 10 });
});

const run = (argv: string[], options: CliOptions = {}) => cli([...argv, ...at(stores)], options);
const FILE = `coupons:
  - { id: summer, name: 여름맞이, total: 10, closesAt: 2099-01-01T00:00:00Z }
  - { id: winter, name: Old, total: 10 }`;
const edit = (file: string, ...argv: string[]) => run(['edit', '--file', '-', ...argv], { stdin: file });
const changes = async () => (await stores.ledger.changes(null, 10)).map(({ kind, couponId }) => [kind, couponId]);

test('a diff, a refusal without --confirm, then both stores and the log have it; again, nothing is left to do', async () => {
  const dry = await edit(FILE, '--dry-run');
  expect(dry.stdout).toBe('COUPON\tFIELD\tNOW\tTHEN\nsummer\tname\tOld\t여름맞이\nsummer\tcloses-at\t(never)\t2099-01-01T00:00:00.000Z\n');
  const refused = await edit(FILE);
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  for (const words of ['summer  name       Old', 'CONFIRM_NEEDED', 'add --confirm']) expect(refused.stderr).toContain(words);
  expect(await changes()).toEqual([]);

  const done = await edit(FILE, '--confirm', '--reason', 'typo');
  expect(done.stdout).toBe('✔ coupon summer: edited: name, closes-at\n✔ coupon winter: unchanged, it is as the file says\n');
  expect((await stores.redis.hmget('coupon:summer', 'name', 'closes_at')).join(' ')).toBe('여름맞이 2099-01-01T00:00:00.000Z');
  expect(await changes()).toEqual([['edit', 'summer']]);
  expect((await run(['audit'])).exitCode).toBe(0);
  expect((await edit(FILE)).stdout).toBe('the coupons are as the file says\n');
});

test('only one coupon of the file', async () => {
  await edit(FILE.replace('name: Old', 'name: New'), 'winter', '--confirm');
  expect(await changes()).toEqual([['edit', 'winter']]);
  expect((await edit(FILE, 'autumn')).stderr).toContain('has no coupon autumn');
});

test.each([
  ['more coupons', 'total: 12', /EDIT_REFUSED[^]*restock summer --add 2/],
  ['fewer coupons', 'total: 9', /never falls[^]*close summer/],
  ['a window that ends before it begins', 'total: 10, opensAt: 2099-02-01T00:00:00Z', /BAD_EVENT_FILE[^]*close \(.*before it opens/],
])('%s: refused with what can do it, and no coupon is changed', async (_what, total, message) => {
  const file = FILE.replace('total: 10', total).replace('name: Old', 'name: New');
  const result = await edit(file, '--confirm');
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toMatch(message);
  expect(await changes()).toEqual([]);
});

test('a coupon that was never seeded, and a file that says a state', async () => {
  expect((await edit('coupons: [{id: autumn, name: A, total: 1}]', '--confirm')).stderr).toContain('COUPON_UNKNOWN');
  expect((await edit('coupons: [{id: summer, name: A, total: 10, state: paused}]')).stderr).toMatch(/state: .*pause, resume or close/);
});

test.each([
  ['yes\n', 0, [['edit', 'summer']]],
  ['\n', 2, []],
  ['nope\n', 2, []],
])('on a terminal the answer %j ends with %i', async (answer, exitCode, made) => {
  const { writeFile, mkdtemp } = await import('node:fs/promises');
  const file = `${await mkdtemp('/tmp/edit-')}/event.yaml`;
  await writeFile(file, FILE);
  const result = await run(['edit', '--file', file], { tty: true, columns: 100, stdin: answer });
  expect(result.stderr).toContain('Change 1 coupon so, in both stores? yes or no [no]');
  expect(result.exitCode).toBe(exitCode);
  expect(await changes()).toEqual(made);
});

test('rename', async () => {
  expect((await run(['rename', 'summer', '--name', '여름', '--dry-run'])).stdout).toContain('would');
  expect(await changes()).toEqual([]);
  expect((await run(['rename', 'summer', '--name', '여름'])).stdout).toContain('여름');
  expect(await stores.redis.hget('coupon:summer', 'name')).toBe('여름');
  expect((await run(['rename', 'summer', '--name', ' '])).stderr).toContain('BAD_NAME');
  expect((await run(['audit'])).exitCode).toBe(0);
});

test('an extension from days after issue to a date leaves no drift', async () => {
  await run(['extend', 'summer', '--valid-for', '30d']);
  await run(['extend', 'summer', '--expires-at', '2099-01-01T00:00:00Z']);
  expect((await run(['audit'])).exitCode).toBe(0);
});
