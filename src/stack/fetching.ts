import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Log } from '../lib/process/host.ts';
import { withLock } from './lock.ts';
import { ensureOwnFolder } from './paths.ts';

const PREFIX = 'fetching-';

/**
 * Fetches something into the cache of a user, one process at a time. `fetch` works in an empty folder inside of the cache, and renames
 * what it has made when it is complete. Everyone may enter the cache: as root, PostgreSQL runs as another user.
 */
export async function fetching<T>(host: Host, cache: string, log: Log, fetch: (work: string) => Promise<T>): Promise<T> {
  return await withLock(
    host,
    join(cache, 'lock'),
    log,
    () => ensureOwnFolder(host, cache, 0o755),
    async () => {
      removeLeftovers(cache);
      const work = join(cache, PREFIX + randomUUID());
      mkdirSync(work, { mode: 0o755 });
      try {
        return await fetch(work);
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  );
}

/** Of commands that were killed. */
function removeLeftovers(cache: string): void {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(PREFIX))) {
    try {
      rmSync(join(cache, name), { recursive: true, force: true });
    } catch {
      // a package manager that outlived them is still writing; the next time, then
    }
  }
}
