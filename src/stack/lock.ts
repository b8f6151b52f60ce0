import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CouponError } from '../lib/errors.ts';
import type { Host, Log } from '../lib/process/host.ts';
import { until } from './wait.ts';

/** As long as a slow line may need to fetch a server. */
const PATIENCE_MS = 600_000;
/** Taking over a dead owner's lock is a matter of microseconds: a guard this old belongs to a process that died during it. */
const GUARD_AGE_MS = 10_000;

/**
 * Does the work while no other process does work under the same lock file.
 *
 * The file names its owner by pid and by the time that process started, so the lock of a killed process is noticed and taken over.
 * `link` makes the file appear with its content or not at all. `prepare` creates the folder; it runs before every try, because the owner
 * may be removing the whole stack.
 */
export async function withLock<T>(
  host: Host,
  file: string,
  log: Log,
  prepare: () => void,
  work: () => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const mine = `${host.pid} ${startedAt(host, host.pid)} ${randomUUID()}`;
  const draft = join(dirname(file), `.lock-${randomUUID()}`);
  let announced = false;

  const taken = await until(() => {
    prepare();
    try {
      writeFileSync(draft, mine, { mode: 0o600 });
      if (createdBy(draft, file)) return true;
      const owner = read(file);
      if (owner !== null && !isAlive(host, owner)) return takeOver(host, draft, file) ? true : null;
      if (!announced && owner !== null) log(`waiting for another coupon-cli (pid ${owner.split(' ')[0]})`);
      announced ||= owner !== null;
      return null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null; // the folder went away under us
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }, patienceMs);

  if (taken === null) {
    throw new CouponError({
      code: 'STACK_LOCKED',
      kind: 'unreachable',
      message: 'another coupon-cli has been working on the local stack for ten minutes',
      why: `${file} is held by pid ${read(file)?.split(' ')[0] ?? '?'}`,
      fix: 'Wait for that process, or end it, and try again.',
    });
  }
  try {
    return await work();
  } finally {
    if (read(file) === mine) rmSync(file, { force: true });
  }
}

function createdBy(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Of several waiters who see a dead owner, the guard lets one replace it; the others find a living owner when they look again. */
function takeOver(host: Host, draft: string, file: string): boolean {
  const guard = `${file}.takeover`;
  if (!createdBy(draft, guard)) {
    const since = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > GUARD_AGE_MS) rmSync(guard, { force: true });
    return false;
  }
  try {
    const owner = read(file);
    if (owner === null || isAlive(host, owner)) return false;
    renameSync(draft, file);
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function isAlive(host: Host, owner: string): boolean {
  const [pid, started] = owner.split(' ');
  if (!/^[1-9]\d*$/.test(pid ?? '')) return false;
  try {
    host.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startedAt(host, Number(pid)) === started;
}

/** When a process started, in the kernel's own count: tells it from an earlier one with the same pid. `-` where the system does not say. */
function startedAt(host: Host, pid: number): string {
  if (host.platform !== 'linux') return '-';
  const stat = read(`/proc/${pid}/stat`) ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'dead' : (fields[19] ?? 'gone');
}
