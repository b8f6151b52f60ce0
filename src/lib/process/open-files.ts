import { readFileSync } from 'node:fs';

/** How many files and connections this process may have open: Infinity: no limit; null: the system does not tell (no Linux). */
export function openFileLimit(path = '/proc/self/limits'): number | null {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync(path, 'utf8'))?.[1];
    return soft === undefined ? null : soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}
