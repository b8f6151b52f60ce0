import { readFileSync } from 'node:fs';
import { CouponError } from '../lib/errors.ts';
import { isRoot, type Host } from '../lib/process/host.ts';
import type { Identity } from '../lib/process/processes.ts';

/**
 * PostgreSQL refuses to run as root, and a Redis of root's would write files as root for any holder of its password. Root starts both as
 * the user made for PostgreSQL, or as nobody, and creates no user: nothing on the host changes. Null for everyone else, who run them as
 * themselves.
 */
export function serverIdentity(host: Host, file = '/etc/passwd'): Identity | null {
  if (!isRoot(host)) return null;
  let users: string;
  try {
    users = readFileSync(file, 'utf8');
  } catch {
    users = '';
  }
  for (const name of ['postgres', 'nobody']) {
    const entry = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(users);
    if (entry !== null && Number(entry[1]) > 0) return { name, uid: Number(entry[1]), gid: Number(entry[2]) };
  }
  throw new CouponError({
    code: 'POSTGRES_NO_USER',
    kind: 'unreachable',
    message: 'the servers do not run as root, and this system has neither a user postgres nor a user nobody',
    fix: 'Run this as an ordinary user.',
  });
}
