import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { CouponError } from '../lib/errors.ts';
import type { Host } from '../lib/process/host.ts';
import { run } from '../lib/process/processes.ts';
import { until } from './wait.ts';

const STOP_MS = 20_000;
const LOOK_MS = 5_000;

/**
 * Whether the process is the server that works in this folder.
 *
 * A pid on file proves nothing: after a crash or a reboot the number may belong to another process, which we must never signal, and another user
 * may have written it. So the program, its owner and its folder are looked at. Both servers have their folder in their command line or as
 * their working directory (root in a container may not look at that of another user's process). A dead process that no parent has
 * collected yet has neither.
 *
 * @param owner user id that the server runs as; null: not looked at
 */
export async function worksIn(host: Host, pid: number, folder: string, programs: string[], owner = host.uid): Promise<boolean> {
  const commandLine = await commandLineOf(host, pid);
  if (!programs.some((program) => new RegExp(`(^|/)${program}(\\s|$)`).test(commandLine))) return false;
  if (owner !== null && (await ownerOf(host, pid)) !== owner) return false;
  if (` ${commandLine} `.includes(` ${folder} `)) return true;
  return (await workingDirectoryOf(host, pid)) === realpathSync(folder);
}

/**
 * Whether this process is the one that listens on a port of loopback. Any other listener must not hear a password.
 *
 * @param owner user id that the server runs as
 */
export async function listensOn(host: Host, pid: number, port: number, owner = host.uid): Promise<boolean> {
  if (host.platform !== 'linux') {
    const args = ['-nP', '-a', '-p', String(pid), `-iTCP:${port}`, '-sTCP:LISTEN', '-t'];
    return (await run('lsof', args, { env: { PATH: `${host.path}:/usr/sbin` }, timeoutMs: LOOK_MS })).stdout.trim() === String(pid);
  }
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // proc(5): local address, remote address, state (0A: listening), …, user id, …, inode.
  const sockets = readOrEmpty(() => readFileSync('/proc/net/tcp', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === local && fields[3] === '0A' && (owner === null || Number(fields[7]) === owner));
  if (sockets.length === 0) return false;
  const open = openSockets(pid);
  return open === null || sockets.some((fields) => open.has(`socket:[${fields[9]}]`));
}

/**
 * Null: the system does not let us look, at the list or at what is in it (root in a container, at another user's process); then the
 * owner of the socket must do.
 */
function openSockets(pid: number): ReadonlySet<string> | null {
  const found = new Set<string>();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) found.add(readlinkUnlessClosed(`/proc/${pid}/fd/${name}`));
    return found;
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '') ? null : found;
  }
}

function readlinkUnlessClosed(link: string): string {
  try {
    return readlinkSync(link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function ownerOf(host: Host, pid: number): Promise<number | null> {
  if (host.platform === 'linux') return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;
  const { stdout } = await run('ps', ['-o', 'uid=', '-p', String(pid)], { env: { PATH: host.path }, timeoutMs: LOOK_MS });
  return stdout.trim() === '' ? null : Number(stdout);
}

async function commandLineOf(host: Host, pid: number): Promise<string> {
  if (host.platform === 'linux') return readOrEmpty(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
  return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { env: { PATH: host.path }, timeoutMs: LOOK_MS })).stdout;
}

async function workingDirectoryOf(host: Host, pid: number): Promise<string> {
  if (host.platform === 'linux') return readOrEmpty(() => readlinkSync(`/proc/${pid}/cwd`));
  const open = await run('lsof', ['-a', '-d', 'cwd', '-p', String(pid), '-Fn'], {
    env: { PATH: `${host.path}:/usr/sbin` },
    timeoutMs: LOOK_MS,
  });
  return /^n(.*)$/m.exec(open.stdout)?.[1] ?? '';
}

function readOrEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/**
 * Asks a server to stop, waits until it is gone, and insists after the deadline.
 * `isOurs` is asked before every signal; both servers keep what they have acknowledged even when insisted upon.
 */
export async function stopProcess(
  host: Host,
  pid: number,
  label: string,
  isOurs: () => Promise<boolean>,
  signals: [polite: NodeJS.Signals, firm: NodeJS.Signals],
): Promise<true> {
  for (const signal of signals) {
    if (!(await isOurs())) return true;
    try {
      host.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if ((await until(async () => ((await isOurs()) ? null : true), STOP_MS)) !== null) return true;
  }
  throw new CouponError({
    code: 'STACK_STOP_FAILED',
    kind: 'failure',
    message: `${label} (pid ${pid}) did not stop, neither on ${signals[0]} nor on ${signals[1]}`,
    fix: 'See what holds it up, such as a full or lost disk, and end it by hand; then run the same command again.',
  });
}
