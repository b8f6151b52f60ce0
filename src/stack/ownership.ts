import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { CouponError } from '../lib/errors.ts';
import type { Host } from '../lib/host.ts';
import { run } from '../lib/processes.ts';
import { until } from './wait.ts';

const STOP_MS = 20_000;

/**
 * Whether the process is the server that works in this folder.
 *
 * A pid on file proves nothing: after a crash or a reboot the number may belong to a stranger, whom we must never signal. Both servers
 * make their data folder their working directory, and PostgreSQL keeps it in its command line too (root in a container may not look
 * at the working directory of another user's process). A dead process that nobody has collected yet has neither.
 */
export async function worksIn(host: Host, pid: number, folder: string, programs: string[]): Promise<boolean> {
  const commandLine = await commandLineOf(host, pid);
  if (!programs.some((program) => new RegExp(`(^|/)${program}(\\s|$)`).test(commandLine))) return false;
  if (` ${commandLine} `.includes(` ${folder} `)) return true;
  return (await workingDirectoryOf(host, pid)) === realpathSync(folder);
}

async function commandLineOf(host: Host, pid: number): Promise<string> {
  if (host.platform === 'linux') return readOrEmpty(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
  return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { env: { PATH: host.path }, timeoutMs: 5_000 })).stdout;
}

async function workingDirectoryOf(host: Host, pid: number): Promise<string> {
  if (host.platform === 'linux') return readOrEmpty(() => readlinkSync(`/proc/${pid}/cwd`));
  const open = await run('lsof', ['-a', '-d', 'cwd', '-p', String(pid), '-Fn'], {
    env: { PATH: `${host.path}:/usr/sbin` },
    timeoutMs: 5_000,
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
  });
}
