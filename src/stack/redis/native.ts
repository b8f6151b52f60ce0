import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { serverEnvironment, type Host } from '../../lib/process/host.ts';
import { launch, run, type Identity } from '../../lib/process/processes.ts';
import { listensOn, stopProcess, worksIn } from '../ownership.ts';
import type { StackPaths } from '../paths.ts';
import { prepareServerFolder, removeServerFolder } from '../server-folder.ts';
import { REDIS_SETTINGS } from '../settings.ts';
import { readPid } from '../small-file.ts';
import type { Secrets } from '../state.ts';
import type { StoreDriver } from '../store.ts';
import { askRedis } from './ask.ts';
import type { NativeRedis } from './binary.ts';

const REMOVE_MS = 10_000;
const PROGRAMS = ['redis-server', 'valkey-server'];

/**
 * Redis as a process of our own, or of the user that servers of root run as. `route` is asked for when there is something to start, and
 * only then.
 */
export function nativeRedis(
  host: Host,
  paths: StackPaths,
  secrets: Secrets,
  as: Identity | null,
  route: () => Promise<NativeRedis>,
): StoreDriver {
  const pidFile = join(paths.redis, 'redis.pid');
  // One that an earlier version left running may still be root's.
  const owners = as === null ? [host.uid] : [as.uid, host.uid];

  async function isOurs(pid: number): Promise<boolean> {
    for (const owner of owners) if (await worksIn(host, pid, paths.redis, PROGRAMS, owner)) return true;
    return false;
  }

  async function findPid(): Promise<number | null> {
    const pid = readPid(pidFile);
    return pid !== null && (await isOurs(pid)) ? pid : null;
  }

  return {
    label: 'Redis',
    logFile: paths.redisLog,
    findPid,
    async ask(port) {
      const pid = await findPid();
      if (pid === null || !(await isListening(host, pid, port, owners))) return null;
      return (await askRedis(port, secrets.redis))?.version ?? null;
    },
    async prepare() {
      await prepareServerFolder(host, paths.redis, as);
      // Of an earlier version, with its password. As the owner of the folder, who may have put anything there.
      const options = { env: serverEnvironment(host), timeoutMs: REMOVE_MS, as };
      await run('rm', ['-f', join(paths.redis, 'redis.conf')], options);
    },
    async launch(port) {
      const { command, env } = await route();
      // The rest comes in over standard input: a command line is for everyone to see. The folder stays in it, to know the process by.
      return launch(command, ['--dir', paths.redis, '--set-proc-title', 'no', '-'], {
        env: serverEnvironment(host, env),
        cwd: paths.redis,
        log: paths.redisLog,
        as,
        input: configuration(port, secrets.redis, pidFile),
      });
    },
    async stop() {
      const pid = await findPid();
      if (pid === null) return false;
      return await stopProcess(host, pid, 'Redis', async () => await isOurs(pid), ['SIGTERM', 'SIGKILL']);
    },
    async crash() {
      const pid = await findPid();
      if (pid !== null) await stopProcess(host, pid, 'Redis', async () => await isOurs(pid), ['SIGKILL', 'SIGKILL']);
    },
    async purge() {
      await removeServerFolder(host, paths.redis, as);
      rmSync(paths.redisLog, { force: true });
    },
  };
}

async function isListening(host: Host, pid: number, port: number, owners: readonly (number | null)[]): Promise<boolean> {
  for (const owner of owners) if (await listensOn(host, pid, port, owner)) return true;
  return false;
}

function configuration(port: number, password: string, pidFile: string): string {
  const own = ['bind 127.0.0.1', 'protected-mode yes', `port ${port}`, `requirepass ${password}`, `pidfile ${quoted(pidFile)}`];
  return [...REDIS_SETTINGS, ...own, ''].join('\n');
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
