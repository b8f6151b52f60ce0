import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from './until.ts';

const CHILD = fileURLToPath(new URL('./redis-child.ts', import.meta.url));

test.each(['SIGKILL', 'SIGTERM'] as const)('a Redis that a test left behind ends with its process, also after %s', async (signal) => {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(String(line).trim());
  expect(isAlive(pid)).toBe(true);
  child.kill(signal);
  await until(() => Promise.resolve(!isAlive(pid)));
  expect(isAlive(pid)).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
