import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Shims } from './shims.ts';

/**
 * The files of a multi-part AOF (Redis 7 and Valkey): a base, increments, and the manifest that names them. All of these functions are
 * for a server that is down.
 */
export function aofFiles(dir: string): string[] {
  const folder = join(dir, 'appendonlydir');
  return readdirSync(folder).map((name) => join(folder, name));
}

/** What a loss of power does: of every file, the part that was never synced is gone. Returns how many bytes that were. */
export function loseUnsynced(dir: string, shims: Shims): number {
  const lost = aofFiles(dir).map((file) => cutTo(file, shims.synced(file)));
  return lost.reduce((sum, bytes) => sum + bytes, 0);
}

/** Cuts so many bytes from the end of the newest increment, or all that it has. Returns how many. */
export function cutTail(dir: string, bytes: number): number {
  const increments = aofFiles(dir).filter((file) => file.endsWith('.incr.aof'));
  const newest = increments.toSorted((a, b) => numberOf(b) - numberOf(a))[0];
  if (newest === undefined) throw new Error(`${dir} has no AOF to cut`);
  return cutTo(newest, Math.max(0, statSync(newest).size - bytes));
}

function cutTo(file: string, keep: number): number {
  const lost = statSync(file).size - keep;
  if (lost > 0) truncateSync(file, keep);
  return lost;
}

/** `appendonly.aof.12.incr.aof` → 12 */
function numberOf(file: string): number {
  return Number(/\.(\d+)\.incr\.aof$/.exec(file)?.[1] ?? 0);
}
