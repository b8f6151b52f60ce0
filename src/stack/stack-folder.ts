import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../lib/errors.ts';
import type { StackPaths } from './paths.ts';
import { readSecrets } from './state.ts';

/** A folder with other things in it is not a stack: nothing is started in there, and above all nothing removed. */
export function refuseOtherFolder(paths: StackPaths): void {
  if (readSecrets(paths) !== null) return;
  const other = readdirSync(paths.dir).find((name) => !/^(\.lock-|lock|secrets\.json|stack\.json|pg_hba\.conf)/.test(name));
  if (other === undefined) return;
  throw usageError('STACK_DIR_IN_USE', `${paths.dir} is not a stack, and not empty: it has ${other}`, 'Use another folder.');
}

/** What is left when both servers are purged. The passwords go last: they are what makes the folder a stack, should we be killed here. */
export function removeStack(paths: StackPaths): void {
  for (const name of readdirSync(paths.dir).filter((entry) => entry.startsWith('.lock-'))) rmSync(join(paths.dir, name), { force: true });
  for (const file of [paths.state, `${paths.state}.new`, `${paths.secrets}.new`, paths.secrets]) rmSync(file, { force: true });
}

/** After the lock inside it is gone. Not empty means that it is in use, or that the next `up` has begun, and it may. */
export function removeFolder(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
