import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueWaiting } from '../support/issue.ts';
import { BIN, cleanEnvironment } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
  await stores.seed({ id: 'c', total: 100 });
  await stores.admission.admit(
    'c',
    Array.from({ length: 100 }, (_, i) => ({ userId: `user-${i}`, requestId: 'r' })),
  );
  await issueWaiting(stores, 'c');
});
afterAll(() => stores[Symbol.asyncDispose]());

/** @param stdout a file descriptor */
async function run(command: string, argv: readonly string[], stdout: number | 'ignore'): Promise<{ exitCode: number; stderr: string }> {
  const child = spawn(command, argv, { env: cleanEnvironment(), stdio: ['ignore', stdout, 'pipe'] });
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr!), once(child, 'close') as Promise<[number]>]);
  return { exitCode, stderr };
}

describe.runIf(process.platform === 'linux')('where nothing more can be written', () => {
  test.each([
    ['as text', [], /^error: the output could not be written \(ENOSPC\) \[OUTPUT_LOST\]/],
    ['as JSON', ['--json'], /^\{"error":\{"code":"OUTPUT_LOST"[^\n]*\}\n$/],
  ])('stdout: it is said, %s', async (_name, flags, words) => {
    const full = openSync('/dev/full', 'w');
    const { exitCode, stderr } = await run(process.execPath, [BIN, 'inspect', ...flags, ...at(stores)], full);
    closeSync(full);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(words);
  });

  test('export --out: half a file is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coupon-full-'));
    const out = join(folder, 'issued.csv');
    // One block of 512 bytes, of which some systems make 1,024.
    const argv = ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, BIN, 'export', 'c', '--out', out, ...at(stores)];
    const { exitCode, stderr } = await run('sh', argv, 'ignore');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('cannot be written (EFBIG)') });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('a reader that goes away', () => {
  /** Reads the first piece of stdout, closes it, and waits for the end. */
  const cutOff = async (argv: readonly string[]): Promise<{ exitCode: number | null; signal: string | null }> => {
    const child = spawn(process.execPath, [BIN, ...argv, ...at(stores)], { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => child.stdout.destroy());
    const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { exitCode, signal };
  };
  const ask = async (userId: string): Promise<void> => {
    await stores.seed({ id: userId, total: 1 });
    await stores.admission.admit(userId, [{ userId, requestId: 'r' }]);
  };

  test('cuts a drain off: it ends in order, and not with 0', async () => {
    const ended = cutOff(['drain', '--interval', '50ms', '--json', '--verbose']);
    let over = false;
    const isOver = (): boolean => over;
    void ended.then(() => (over = true));
    // Each has a pass to tell of; the one after the pipe was closed is what it notices.
    for (let i = 0; !isOver() && i < 500; i += 1) await ask(`cut-${i}`);
    expect(await ended).toEqual({ exitCode: 1, signal: null });
    const left = await stores.sql('SELECT count(*)::int AS n FROM issued_coupons');
    expect(left[0]!['n']).toBeGreaterThan(100);
    expect(await stores.redis.keys('coupon_leases:cut-*')).toEqual([]);
  });

  test('leaves a list as it is: 0', async () => {
    expect(await cutOff(['export', 'c'])).toEqual({ exitCode: 0, signal: null });
  });

  test('leaves an audit its verdict: 4', async () => {
    await stores.redis.del('issued_coupon:coupon:c-user:user-7');
    const argv = ['audit', 'c', '--json', ...at(stores)].map((word) => `'${word}'`).join(' ');
    const { exitCode } = await run('bash', ['-c', `"${process.execPath}" "${BIN}" ${argv} | true; exit $\{PIPESTATUS[0]}`], 'ignore');
    expect(exitCode).toBe(4);
  });
});
