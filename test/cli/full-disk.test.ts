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
