import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { at, cli, type CliResult } from '../../../support/run-cli.ts';
import { shapedShop, type Shop } from '../../../support/shaped-shop.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';

const TOTAL = 20;
let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
  await stores.sql('CREATE TABLE shop_rounds (round serial PRIMARY KEY, note text)');
});
beforeEach(() => stores.sql('TRUNCATE shop_rounds RESTART IDENTITY'));
afterAll(() => stores[Symbol.asyncDispose]());

const rounds = async (): Promise<unknown> => (await stores.sql('SELECT count(*)::int AS n FROM shop_rounds'))[0]!.n;

function scenario(shop: Shop, changes: object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'shop.yaml');
  const document = {
    version: 1,
    name: 'shop',
    coupons: [{ id: 'c1', total: TOTAL }],
    users: { count: 60, duplicateRate: 0.2 },
    prepare: [{ path: '/login', json: { id: '{{userId}}' }, capture: { token: { json: 'data.accessToken' } } }],
    request: { path: '/coupons', headers: { Authorization: 'Bearer {{token}}' }, json: {} },
    outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
    phases: [{ vus: 5, maxDuration: '20s' }],
    settle: { timeout: '2s', quietFor: '50ms' },
    verify: { csv: shop.csv, skip: ['stock_adds_up', 'first_come_first_served'] },
    ...changes,
  };
  writeFileSync(path, JSON.stringify(document));
  return path;
}

const bench = (path: string, shop: Shop, ...flags: string[]): Promise<CliResult> =>
  cli(['bench', path, '--url', shop.url, ...at(stores), '--json', ...flags]);

const reset = (shop: Shop): string[] => [
  process.execPath,
  '-e',
  `await fetch(process.argv[1], { method: 'POST' })`,
  '--input-type=module',
  `${shop.url}/reset`,
];

test('statements and a program make the state before each round', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const path = scenario(shop, {
    rounds: 2,
    before: [
      { sql: `INSERT INTO shop_rounds (note) VALUES ('a'); INSERT INTO shop_rounds (note) VALUES ('b')` },
      { command: ['./reset.sh', shop.url] },
    ],
    teardown: [{ name: 'clear away', sql: `UPDATE shop_rounds SET note = 'done'` }],
  });
  writeFileSync(join(path, '..', 'reset.sh'), '#!/bin/sh\nexec "$NODE" -e "fetch(\'$1/reset\', { method: \'POST\' })"\n', { mode: 0o755 });
  const result = await cli(['bench', path, '--url', shop.url, ...at(stores), '--json', '--run-commands'], {
    vars: { NODE: process.execPath },
  });
  expect(result.stderr).not.toContain('error');
  expect(result.json<BenchReport>()).toMatchObject({ rounds: { planned: 2, run: 2 }, verdict: { integrity: 'pass' } });
  expect(await rounds()).toBe(4);
  expect((await stores.sql('SELECT DISTINCT note FROM shop_rounds'))[0]).toEqual({ note: 'done' });
  expect(shop.heard['/reset']).toBe(2);
});

test('no program runs that was not allowed, and nothing else was done', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const mark = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'mark');
  const path = scenario(shop, { setup: [{ sql: `INSERT INTO shop_rounds DEFAULT VALUES` }, { command: ['touch', mark] }] });
  const { exitCode, stderr } = await bench(path, shop);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--run-commands') });
  expect({ rounds: await rounds(), ran: existsSync(mark), heard: shop.heard }).toEqual({ rounds: 0, ran: false, heard: {} });
  expect((await cli(['bench', 'check', path])).stdout).toMatch(/changes the database of DATABASE_URL[\s\S]*runs touch/);
});

test.each<[string, object, RegExp]>([
  ['a statement that fails', { sql: 'INSERT INTO shop_rounds DEFAULT VALUES; UPDATE nowhere SET a = 1' }, /sql failed.*nowhere/],
  [
    'a program that fails',
    { command: ['sh', '-c', 'echo no fresh coupons >&2; exit 3'] },
    /command sh failed.*ended with 3: no fresh coupons/,
  ],
  ['a program that is not there', { command: ['no-such-program'] }, /command no-such-program failed.*could not be started/],
  ['a program that does not end', { name: 'slow', command: ['sleep', '60'], timeout: '100ms' }, /slow failed.*100 ms/],
])('%s ends the run before the load, and leaves nothing half done', async (_what, step, message) => {
  await using shop = await shapedShop('token', TOTAL);
  const { exitCode, stderr } = await bench(scenario(shop, { before: [step] }), shop, '--run-commands');
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(message);
  expect(shop.heard['/coupons']).toBeUndefined();
  expect(await rounds()).toBe(0);
});

test.each<[string, object, RegExp]>([
  ['in prepare', { prepare: [{ sql: 'SELECT 1' }] }, /prepare\[0\].*sends requests only/],
  ['two in one step', { before: [{ sql: 'SELECT 1', path: '/x' }] }, /before\[0\].*needs one of path, sql and command/],
  ['none', { before: [{ name: 'x' }] }, /before\[0\].*needs one of path, sql and command/],
  ['with parts of a request', { before: [{ sql: 'SELECT 1', expect: 200 }] }, /before\[0\]\.expect.*belongs to a request/],
])('a mistake: %s', async (_what, changes, message) => {
  await using shop = await shapedShop('token', TOTAL);
  const { exitCode, stderr } = await cli(['bench', 'check', scenario(shop, changes)]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
});

test('statements for another host need --allow-target, and --stack has a database of its own', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const path = scenario(shop, { before: [{ sql: 'SELECT 1' }] });
  const elsewhere = await cli(['bench', path, '--url', shop.url, '--database-url', 'postgres://db.example/shop']);
  expect(elsewhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('db.example') });
  const own = scenario(shop, { before: [{ sql: 'SELECT 1' }], verify: undefined, prepare: [], request: {} });
  expect(await cli(['bench', own, '--stack'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--stack has one of its own'),
  });
});

test('try runs them, too', async () => {
  await using shop = await shapedShop('token', TOTAL);
  const path = scenario(shop, { setup: [{ sql: 'INSERT INTO shop_rounds DEFAULT VALUES' }, { command: reset(shop) }] });
  expect((await cli(['bench', 'try', path, '--url', shop.url, ...at(stores)])).exitCode).toBe(2);
  const tried = await cli(['bench', 'try', path, '--url', shop.url, ...at(stores), '--run-commands']);
  expect(tried.stdout).toContain('accepted');
  expect(await rounds()).toBe(1);
});
