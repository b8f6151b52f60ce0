import { spawn } from 'node:child_process';
import { serverEnvironment, type Host, type Log } from '../lib/process/host.ts';
import { CouponError } from '../lib/errors.ts';
import { occupyStack } from './occupy.ts';
import { stackDown } from './stack.ts';

/** The hidden command that a keeper runs; see `cli/commands/dev.ts`. */
export const KEEP = 'stop-with-parent';

/** Says on its way out that nothing is left to do. */
const DISMISSED = 'done';
const PATIENCE_MS = 1_000;

/**
 * Starts a process that stops a stack when we end without having done so, such as after SIGKILL: it reads a pipe that the system closes
 * with us.
 *
 * @param self how to start this program
 * @returns what to call when the stack was stopped, or is to stay
 */
export function keepStack(host: Host, self: readonly [string, ...string[]], dir: string): () => void {
  const [command, ...first] = self;
  const keeper = spawn(command, [...first, 'dev', KEEP, dir], {
    cwd: '/',
    env: serverEnvironment(host),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  keeper.on('error', () => undefined);
  keeper.stdin.on('error', () => undefined);
  keeper.unref();
  return () => void keeper.stdin.end(`${DISMISSED}\n`);
}

/** What the keeper does: waits for its parent's end, and stops the stack unless that is done, or another command uses it by now. */
export async function stopWithParent(host: Host, dir: string, parent: AsyncIterable<unknown>, log: Log): Promise<void> {
  let said = '';
  for await (const chunk of parent) said += String(chunk);
  if (said.startsWith(DISMISSED)) return;
  try {
    const release = await occupyStack(host, { dir, log, patienceMs: PATIENCE_MS });
    try {
      await stackDown(host, { dir, log });
    } finally {
      await release();
    }
  } catch (error) {
    if (!(error instanceof CouponError) || error.code !== 'STACK_LOCKED') throw error;
  }
}
