import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { defaultStackDir, stackDown, type Host } from '../../src/stack/stack.ts';

/** Removes the stacks of runs that were killed before they could clean up: those named `<name>-<pid>` whose process is gone. */
export async function purgeOrphans(host: Host, clone: string, name: string): Promise<void> {
  const prefix = defaultStackDir(host, clone, `${name}-`);
  for (const entry of readdirSync(dirname(prefix))) {
    const pid = Number(entry.slice(basename(prefix).length));
    if (!entry.startsWith(basename(prefix)) || !Number.isInteger(pid) || isAlive(host, pid)) continue;
    await stackDown(host, { dir: join(dirname(prefix), entry), purge: true });
  }
}

function isAlive(host: Host, pid: number): boolean {
  try {
    host.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
