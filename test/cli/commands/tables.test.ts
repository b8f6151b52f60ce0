import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { widthOf } from '../../../src/lib/text/width.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const NAME = '여름맞이 선착순 쿠폰 👩‍👩‍👧 '.repeat(4).trim();
const USER = `user-${'x'.repeat(100)}`;

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.clear();
  await stores.sql('TRUNCATE operator_log');
  await stores.seed({ id: 'a-coupon-with-a-long-id-of-its-own', name: NAME, total: 12_345 });
  await stores.seed({ id: 'c', name: 'Cafe\u0301', total: 2 });
  await stores.admission.admit(
    'c',
    [USER, 'kim'].map((userId) => ({ userId, requestId: 'r' })),
  );
  const { epoch } = (await stores.ledger.coupon('c'))!;
  const claimed = await stores.claims.claim('c', { epoch, limit: 1, leaseMs: 30_000, worker: 'w'.repeat(40) });
  if (claimed.status !== 'ok') throw new Error(claimed.status);
  const issued = await stores.ledger.issue('c', claimed.claims, { epoch, worker: 'w'.repeat(40), timeoutMs: 10_000 });
  if (issued.status === 'ok') await stores.claims.ack('c', epoch, issued.rows);
  await stores.redis.hset('coupon_dead:c', 'lee', `23514 ${'a long message of the ledger '.repeat(5)}`);
  await cli(['pause', 'c', '--reason', '가격이 틀렸습니다 '.repeat(8).trim(), ...at(stores)]);
});
afterAll(() => stores[Symbol.asyncDispose]());

const LISTS = [
  ['inspect'],
  ['inspect', 'coupon', 'c'],
  ['inspect', 'queue', 'c'],
  ['inspect', 'issued', 'c'],
  ['inspect', 'user', 'c', USER],
  ['dead', 'list', 'c'],
  ['log'],
  ['config', 'show'],
  ['dev', 'status'],
  ['bench', 'list'],
  ['audit'],
];
const run = (argv: readonly string[], columns?: number) =>
  cli([...argv, ...at(stores)], columns === undefined ? {} : { tty: true, columns, vars: { NO_COLOR: '1' } });

describe.each(LISTS)('%s %s', (...given) => {
  const argv = given.filter((word): word is string => typeof word === 'string');

  test.each([40, 60, 80, 100, 200])('fits a terminal of %i columns', async (columns) => {
    const { stdout } = await run(argv, columns);
    expect(stdout).not.toBe('');
    // Prose is wrapped by the terminal itself; rows are not.
    for (const line of tableOf(stdout)) expect([line, widthOf(line) <= columns]).toEqual([line, true]);
  });

  test('loses nothing where there is room, with --wide, and in a pipe', async () => {
    for (const { stdout } of [await run(argv, 400), await run(argv)]) expect(stdout).not.toContain('…');
  });
});

test('nothing is cut that must be typed again', async () => {
  for (const columns of [40, 80]) {
    const { stdout } = await run(['inspect', 'issued', 'c'], columns);
    expect(stdout.replaceAll(/[^x]/g, '')).toHaveLength(100);
  }
});

test('--columns chooses, and refuses what there is not before anything is printed', async () => {
  expect((await run(['inspect', '--columns', 'stock, coupon'])).stdout).toBe(
    'STOCK\tCOUPON\n0\tc\n12345\ta-coupon-with-a-long-id-of-its-own\n',
  );
  const bad = await run(['inspect', '--columns', 'stok']);
  expect(bad).toMatchObject({ exitCode: 2, stdout: '' });
  expect(bad.stderr).toContain('no column "stok"');
  expect(bad.stderr).toContain('coupon, name, state, total, stock, waiting, claimed, dead, issued, oldest, time-left');
  expect((await run(['inspect', '--json', '--columns', 'stock'])).stderr).toContain('COLUMNS_USAGE');
});

test('--wide shows every column', async () => {
  expect((await run(['inspect'], 80)).stdout).toContain('--wide shows all');
  expect((await run(['inspect', '--wide'], 80)).stdout).toContain(`${NAME}  open`);
});

/** The part before the remarks. */
function tableOf(text: string): string[] {
  const lines = text.trimEnd().split('\n');
  return lines.filter((line) => !/^(Showing|Next: |`coupon-cli|✔|✘|–|no |not |nothing |coupon [a-z]+:|For a|  )/.test(line));
}
