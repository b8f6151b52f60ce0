import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { defaultStackDir } from '../../../src/dev/paths.ts';
import { run } from '../../../src/dev/processes.ts';
import { testHost } from '../../support/host.ts';
import { REPOSITORY } from '../../support/stack-dir.ts';

/** Mounting and copying take milliseconds; a machine under load more. */
const TOOL_MS = 60_000;

/**
 * A folder for one server of the suite, next to the local stacks: outside of any home, which the user that PostgreSQL runs as could not
 * enter, and short. Others may pass, but not look.
 */
export function serverFolder(name: string): { dir: string; remove: () => void } {
  const dir = mkdtempSync(defaultStackDir(testHost(), REPOSITORY, `faults-${name}-`));
  chmodSync(dir, 0o711);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A file system in memory that can be filled to the brim. Null where this user may not mount one. */
export async function smallDisk(dir: string, bytes: number): Promise<{ unmount: () => Promise<void> } | null> {
  mkdirSync(dir, { recursive: true });
  const host = testHost();
  const call = async (command: string, args: string[]): Promise<string | null> => {
    const { code, stderr } = await run(command, args, { env: { PATH: host.path }, timeoutMs: TOOL_MS });
    return code === 0 ? null : stderr.trim();
  };
  const refused = await call('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'coupon-faults', dir]);
  if (refused !== null) return null;
  return {
    async unmount() {
      const failed = await call('umount', ['-l', dir]); // lazily: orphans of a killed server may still have files open
      if (failed !== null) throw new Error(`the small disk on ${dir} could not be unmounted: ${failed}`);
    },
  };
}

/** A whole folder under a new name, with owners and times as they were. */
export async function copyFolder(from: string, to: string): Promise<void> {
  const { code, stderr } = await run('cp', ['-pR', from, to], { env: { PATH: testHost().path }, timeoutMs: TOOL_MS });
  if (code !== 0) throw new Error(`${from} could not be copied: ${stderr.trim()}`);
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
