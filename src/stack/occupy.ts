import { join } from 'node:path';
import type { Host, Log } from '../lib/process/host.ts';
import { withLock } from './lock.ts';
import { ensureOwnFolder, refusePrivateParent, stackFolderMode } from './paths.ts';

/**
 * Keeps a stack for one command from now until the returned function is called. A rehearsal resets its coupons, so two on one
 * stack would spoil each other; the second waits and names the first.
 *
 * @throws CouponError `STACK_LOCKED` when it is kept for longer than `patienceMs` (ten minutes)
 */
export async function occupyStack(
  host: Host,
  { dir, log, patienceMs }: { dir: string; log: Log; patienceMs?: number },
): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  const wanted = new Promise<void>((resolve) => {
    release = resolve;
  });
  const prepare = (): void => {
    ensureOwnFolder(host, dir, stackFolderMode(host));
    refusePrivateParent(host, dir);
  };
  let held: Promise<void> | undefined;
  await new Promise<void>((taken, failed) => {
    // Beside the stack's own lock, which is only held while servers are started and stopped.
    held = withLock(
      host,
      join(dir, 'lock-session'),
      log,
      prepare,
      async () => {
        taken();
        await wanted;
      },
      patienceMs,
    );
    held.catch(failed);
  });
  return async () => {
    release();
    await held;
  };
}
