import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultStackDir } from '../../../src/stack/paths.ts';
import { run } from '../../../src/lib/process/processes.ts';
import { testHost } from '../../support/host.ts';
import { REPOSITORY } from '../../support/stack-dir.ts';

/** Mounting and copying take milliseconds; a machine under load more. */
const TOOL_MS = 60_000;

/**
 * A folder for one server of the suite, next to the local stacks: outside of any home, which the user that PostgreSQL runs as could not
 * enter, and short. Others may pass, but not look. Removes what suites left that were killed.
 */
export async function serverFolder(name: string): Promise<{ dir: string; remove: () => void }> {
  const host = testHost();
  await sweep(defaultStackDir(host, REPOSITORY, 'faults-'));
  const dir = mkdtempSync(defaultStackDir(host, REPOSITORY, `faults-${host.pid}-${name}-`));
  chmodSync(dir, 0o711);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A file system in memory that can be filled to the brim. Null where this user may not mount one. */
export async function smallDisk(dir: string, bytes: number): Promise<{ unmount: () => Promise<void> } | null> {
  mkdirSync(dir, { recursive: true });
  const refused = await call('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'coupon-faults', dir]);
  return refused === null ? { unmount: () => unmount(dir) } : null;
}

/** Lazily: orphans of a killed server may still have files open. */
async function unmount(dir: string): Promise<void> {
  const failed = await call('umount', ['-l', dir]);
  if (failed !== null) throw new Error(`the small disk on ${dir} could not be unmounted: ${failed}`);
}

async function sweep(prefix: string): Promise<void> {
  for (const entry of readdirSync(dirname(prefix))) {
    const dir = join(dirname(prefix), entry);
    const pid = dir.startsWith(prefix) ? Number.parseInt(dir.slice(prefix.length), 10) : NaN;
    if (!(pid > 0) || isAlive(pid)) continue;
    try {
      for (const disk of mountsBelow(dir)) await unmount(disk);
      rmSync(dir, { recursive: true, force: true });
    } catch {
      // another suite sweeps as well; whatever is left is for the next one
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    testHost().kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function mountsBelow(dir: string): string[] {
  if (!existsSync('/proc/mounts')) return [];
  const targets = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return targets.filter((target) => target.startsWith(`${dir}/`));
}

/** A whole folder under a new name, with owners and times as they were. */
export async function copyFolder(from: string, to: string): Promise<void> {
  const failed = await call('cp', ['-pR', from, to]);
  if (failed !== null) throw new Error(`${from} could not be copied: ${failed}`);
}

/** What went wrong, or null. */
async function call(command: string, args: string[]): Promise<string | null> {
  const { code, stderr } = await run(command, args, { env: { PATH: testHost().path }, timeoutMs: TOOL_MS });
  return code === 0 ? null : stderr.trim();
}

/** Writes zeros until not a page more fits. Returns the file; without it there is room again. */
export function fillDisk(dir: string): string {
  const ballast = join(dir, 'ballast');
  const file = openSync(ballast, 'w');
  for (let size = 1 << 20; size >= 4_096; size /= 2) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
  return ballast;
}
