/**
 * Brings a stack up in a process of its own, and prints one JSON line per step. For tests of what only another process can show: being
 * killed half way, or being another user.
 *
 * Usage: stack-child.ts DIR [cold UID]   `cold` first fetches Redis as on a machine without package lists, as that user
 */
import { unpackDebianRedis } from '../../src/stack/redis/debian-package.ts';
import { cacheDir } from '../../src/stack/paths.ts';
import { stackDown, stackUp } from '../../src/stack/stack.ts';
import { testHost } from './host.ts';

const [dir = '', mode = '', uid = ''] = process.argv.slice(2);
if (uid !== '') {
  // Only now, with all modules loaded: the clone may lie in a folder that this user cannot enter.
  process.setgroups!([]);
  process.setgid!(Number(uid));
  process.setuid!(Number(uid));
}
const host = testHost();
const say = (event: string, value: unknown): void => console.log(JSON.stringify({ event, value }));
const log = (line: string): void => say('log', line);

if (mode === 'cold') say('unpacked', await unpackDebianRedis(host, cacheDir(host, dir), log, false));
say('up', await stackUp(host, { dir, log }));
if (mode === 'cold') say('down', await stackDown(host, { dir, purge: true }));
