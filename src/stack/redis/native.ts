import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverEnvironment, type Host } from '../../lib/host.ts';
import { stopProcess, worksIn } from '../ownership.ts';
import type { StackPaths } from '../paths.ts';
import { launch } from '../../lib/processes.ts';
import { askRedis } from './ask.ts';
import type { NativeRedis } from './binary.ts';
import { REDIS_SETTINGS } from '../settings.ts';
import type { StoreDriver } from '../store.ts';

const PROGRAMS = ['redis-server', 'valkey-server'];

/** Redis as a process of our own. `route` is asked for when there is something to start, and only then. */
export function nativeRedis(host: Host, paths: StackPaths, password: string, route: () => Promise<NativeRedis>): StoreDriver {
  const pidFile = join(paths.redis, 'redis.pid');
  const configFile = join(paths.redis, 'redis.conf');

  async function isOurs(pid: number): Promise<boolean> {
    return await worksIn(host, pid, paths.redis, PROGRAMS);
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
      return (await askRedis(port, password))?.version ?? null;
    },
    async prepare() {
      mkdirSync(paths.redis, { recursive: true, mode: 0o700 });
    },
    async launch(port) {
      const { command, env } = await route();
      // In a file that only we can read: a command line is for everyone to see.
      writeFileSync(configFile, configuration(paths, port, password, pidFile), { mode: 0o600 });
      return launch(command, [configFile], { env: serverEnvironment(host, env), cwd: paths.redis, log: paths.redisLog });
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
      rmSync(paths.redis, { recursive: true, force: true });
      rmSync(paths.redisLog, { force: true });
    },
  };
}

function configuration(paths: StackPaths, port: number, password: string, pidFile: string): string {
  const own = [
    'bind 127.0.0.1',
    'protected-mode yes',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${quoted(paths.redis)}`,
    `pidfile ${quoted(pidFile)}`,
  ];
  return [...REDIS_SETTINGS, ...own, ''].join('\n');
}

function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

/** The first line of a pid file, if there is one and it is a number. */
export function readPid(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
