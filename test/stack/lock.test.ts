import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from '../../src/stack/lock.ts';
import { testHost } from '../support/host.ts';

const host = testHost();
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'coupon-cli-lock-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (): string => join(folder, 'lock');
const prepare = (): void => void mkdirSync(folder, { recursive: true });

async function pidOfDeadProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid!;
}

it('lets one in at a time, and leaves nothing behind', async () => {
  let inside = 0;
  let most = 0;
  const turn = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, async () => await withLock(host, file(), () => {}, prepare, turn)));
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

it('is given back when the work fails', async () => {
  await expect(
    withLock(
      host,
      file(),
      () => {},
      prepare,
      async () => await Promise.reject(new Error('no')),
    ),
  ).rejects.toThrow('no');
  expect(existsSync(file())).toBe(false);
});

it('of a dead process is taken over, by one of all who wait', async () => {
  writeFileSync(file(), `${await pidOfDeadProcess()} 12345 token`);
  let inside = 0;
  const turn = async (): Promise<number> => {
    expect((inside += 1)).toBe(1);
    await new Promise(setImmediate);
    return (inside -= 1);
  };
  const turns = await Promise.all(Array.from({ length: 8 }, async () => await withLock(host, file(), () => {}, prepare, turn)));
  expect(turns).toEqual(Array(8).fill(0));
});

it.runIf(host.platform === 'linux')('of a dead process is taken over although its pid belongs to another process now', async () => {
  writeFileSync(file(), `${host.pid} 12345 token`);
  expect(
    await withLock(
      host,
      file(),
      () => {},
      prepare,
      async () => 'mine',
    ),
  ).toBe('mine');
});

it('says whom it waits for, once, and goes on when the folder was removed meanwhile', async () => {
  const said: string[] = [];
  let second = Promise.resolve('none');
  await withLock(
    host,
    file(),
    () => {},
    prepare,
    async () => {
      second = withLock(
        host,
        file(),
        (line) => said.push(line),
        prepare,
        async () => 'second',
      );
      await new Promise(setImmediate);
      rmSync(folder, { recursive: true });
    },
  );
  expect(await second).toBe('second');
  expect(said).toEqual([`waiting for another coupon-cli (pid ${host.pid})`]);
});
