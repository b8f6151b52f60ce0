import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../../src/lib/closers.ts';
import { openRig, type WholeRig } from './rig.ts';
import { startPostgres } from './servers/postgres.ts';
import { startRedis } from './servers/redis.ts';

/** Two stores and a rig on them. */
export interface Session extends AsyncDisposable {
  rig: WholeRig;
  /** The end of what each process said. */
  lastWords(): string;
  /** The logs stay when everything else goes. */
  keepLogs(): void;
  /** Where they are. */
  folder: string;
}

/** Of the small disks, where they can be had: room for the files of a seed, and soon full. */
const REDIS_DISK_BYTES = 192 << 20;
const POSTGRES_DISK_BYTES = 768 << 20;
const LAST_LINES = 40;

export async function openSession(): Promise<Session> {
  const closers = new Closers();
  const folder = mkdtempSync(join(tmpdir(), 'coupon-cli-faults-'));
  let keep = false;
  closers.add(() => keep || rmSync(folder, { recursive: true, force: true }));
  try {
    const redis = await startRedis({ diskBytes: REDIS_DISK_BYTES });
    closers.add(() => redis[Symbol.asyncDispose]());
    const postgres = await startPostgres({ diskBytes: POSTGRES_DISK_BYTES });
    closers.add(() => postgres[Symbol.asyncDispose]());
    const rig = await openRig({ redis, postgres, folder });
    closers.add(() => rig[Symbol.asyncDispose]());
    return {
      rig,
      folder,
      keepLogs: () => void (keep = true),
      lastWords: () =>
        rig.logs.map((log) => `== ${log}\n${readFileSync(log, 'utf8').split('\n').slice(-LAST_LINES).join('\n')}`).join('\n'),
      [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose](),
    };
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}
