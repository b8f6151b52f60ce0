import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Host } from '../lib/process/host.ts';
import { defaultStackDir } from './paths.ts';

export interface NamedStack {
  /** `dev`, `demo`, `bench`, or `test-` and a pid. */
  name: string;
  dir: string;
}

/** A stack of tests that may still be running. */
export function isInUse(host: Host, name: string): boolean {
  const pid = /^test-(\d+)$/.exec(name)?.[1];
  if (pid === undefined) return name.startsWith('test-');
  try {
    host.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The stack of `dev`, whether it is there or not, and every other one of this checkout or installation. */
export function allStacks(host: Host, packageDir: string): NamedStack[] {
  const own = defaultStackDir(host, packageDir);
  const others = readdirSync(dirname(own), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(`${basename(own)}-`))
    .map((entry) => ({ name: entry.name.slice(basename(own).length + 1), dir: join(dirname(own), entry.name) }));
  return [{ name: 'dev', dir: own }, ...others.toSorted((a, b) => (a.name < b.name ? -1 : 1))];
}
