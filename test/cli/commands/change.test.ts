import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, cli, type CliResult } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const run = (...argv: string[]): Promise<CliResult> => cli([...at(stores), ...argv], { vars: { USER: 'kim' } });
const ok = async (...argv: string[]): Promise<CliResult> => {
  const result = await run(...argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}${result.stdout}`);
  return result;
};

test('one campaign from set-up to close: both stores agree after every step', async () => {
  const steps: string[][] = [
    ['seed', 'day', '--name', 'Day', '--stock', '20'],
    ['pause', 'day', '--reason', 'not yet'],
    ['resume', 'day'],
    ['submit', 'day', '--users', '30'],
    ['restock', 'day', '--add', '5'],
    ['submit', 'day', '--users', '30', '--start', '31'],
    ['drain', 'day', '--until-empty', '--interval', '50ms'],
    ['use', 'day', 'user-3'],
    ['extend', 'day', '--closes-at', 'in 1h'],
    ['close', 'day', '--reason', 'over'],
    ['export', 'day'],
  ];
  for (const step of steps) {
    await ok(...step);
    expect((await run('audit', 'day')).exitCode, step.join(' ')).toBe(0);
  }
  expect(await stores.sql("SELECT count(*)::int AS n FROM issued_coupons WHERE coupon_id = 'day'")).toEqual([{ n: 25 }]);
  const { stdout } = await ok('log', 'day');
  for (const words of [/pause\tkim@test\tnot yet/, /restock add 5/, /extend closesAt/, /close\t.*over/]) expect(stdout).toMatch(words);
  expect((await ok('log', '--json')).json<{ changes: unknown[] }>().changes).toHaveLength(6);
});

test('close refuses while users wait, and says how many', async () => {
  await ok('seed', 'waits', '--name', 'W', '--stock', '3');
  await ok('submit', 'waits', '--users', '2');
  expect(await run('close', 'waits')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/2 accepted users wait[\s\S]*drain waits --until-empty/),
  });
  await ok('close', 'waits', '--force');
  await ok('drain', 'waits', '--until-empty', '--interval', '50ms');
  await ok('audit', 'waits');
});

test('an empty log, a wrong id, nothing to change', async () => {
  await ok('seed', 'plain', '--name', 'P', '--stock', '3');
  expect((await ok('log', 'plain')).stderr).toContain('nothing was changed yet');
  expect(await run('restock', 'plain', '--add', '1', '--op-id', '7')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('no UUID'),
  });
  expect((await run('restock', 'plain', '--add', '0')).exitCode).toBe(2);
  expect((await run('restock', 'plain', '--add', '100000000')).exitCode).toBe(2);
  expect((await run('restock', 'plain')).exitCode).toBe(2);
  expect((await run('extend', 'plain')).exitCode).toBe(2);
  expect((await run('pause', 'nothing')).exitCode).toBe(2);
  expect((await ok('pause', 'plain', '--json')).json()).toMatchObject({ outcome: 'done', change: { kind: 'pause' } });
});

describe('export', () => {
  test('is safe against formulas, and empty where nothing was issued', async () => {
    await ok('seed', 'sheet', '--name', 'S', '--stock', '9');
    expect((await ok('export', 'sheet')).stdout).toBe('coupon_id,user_id,requested_at,issued_at,expires_at,used_at,revoked_at\r\n');
    for (const user of ['=1+1', '+1', '@x', 'a,b', 'plain']) await ok('submit', 'sheet', '--user', user);
    await ok('submit', 'sheet', '--user=-5');
    await ok('drain', 'sheet', '--until-empty', '--interval', '50ms');
    const { stdout } = await ok('export', 'sheet');
    const users = stdout
      .trim()
      .split('\r\n')
      .slice(1)
      .map((line) => /^sheet,("[^"]*"|[^,]*),/.exec(line)![1]);
    expect(users).toEqual(["'+1", "'-5", "'=1+1", "'@x", '"a,b"', 'plain']);
    const lines = (await ok('export', 'sheet', '--format', 'jsonl')).stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { user_id: string }).user_id)).toContain('=1+1');
  });

  test('goes to a file that is not there yet', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'out.csv');
    await ok('seed', 'file', '--name', 'F', '--stock', '9');
    await ok('export', 'file', '--out', file);
    expect(readFileSync(file, 'utf8')).toMatch(/^coupon_id,/);
    expect(await run('export', 'file', '--out', file)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('exists already') });
    expect((await run('export', 'file', '--format', 'xml')).exitCode).toBe(2);
  });
});
