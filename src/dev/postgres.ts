import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CouponError } from '../core/errors.ts';
import { serverEnvironment, type Host } from './host.ts';
import { stopProcess, worksIn } from './ownership.ts';
import type { StackPaths } from './paths.ts';
import { askPostgres } from './postgres-ask.ts';
import type { NativePostgres } from './postgres-binary.ts';
import { lastLines, launch, run, type Identity } from './processes.ts';
import { readPid } from './redis.ts';
import { stoppedMeanwhile, type StoreDriver } from './store.ts';

export const POSTGRES_USER = 'coupon';
export const POSTGRES_DATABASE = 'coupon';

const INIT_MS = 120_000;

/** Settings of every PostgreSQL that the stack starts. The first two are defaults; they are said because the promises rest on them. */
export const POSTGRES_SETTINGS = ['fsync=on', 'synchronous_commit=on', 'max_connections=120', 'timezone=UTC'];

/** PostgreSQL as a process of our own, or of the user that it has to run as. `route` is null for a command that only looks or stops. */
export function nativePostgres(
  host: Host,
  paths: StackPaths,
  password: string,
  as: Identity | null,
  route: NativePostgres | null,
): StoreDriver {
  async function isOurs(pid: number): Promise<boolean> {
    return await worksIn(host, pid, paths.postgresData, ['postgres', 'postmaster']);
  }

  async function findPid(): Promise<number | null> {
    const pid = readPid(join(paths.postgresData, 'postmaster.pid'));
    return pid !== null && (await isOurs(pid)) ? pid : null;
  }

  return {
    label: 'PostgreSQL',
    logFile: paths.postgresLog,
    findPid,
    ask: async (port) => await askPostgres(port, password),
    async prepare() {
      if (route !== null && !existsSync(paths.postgresData)) await initialise(host, paths, password, as, route);
    },
    async launch(port) {
      if (route === null) throw stoppedMeanwhile('PostgreSQL');
      // No unix socket: its path may be 107 bytes long at most, and everyone comes through loopback anyway.
      const settings = [...POSTGRES_SETTINGS, `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
      return launch(join(route.bin, 'postgres'), ['-D', paths.postgresData, ...settings.flatMap((setting) => ['-c', setting])], {
        env: serverEnvironment(host),
        cwd: paths.dir,
        log: paths.postgresLog,
        as,
      });
    },
    async stop() {
      const pid = await findPid();
      if (pid === null) return false;
      // SIGINT ends sessions and writes everything down; SIGQUIT leaves that to the recovery at the next start.
      return await stopProcess(host, pid, 'PostgreSQL', async () => await isOurs(pid), ['SIGINT', 'SIGQUIT']);
    },
    async purge() {
      rmSync(paths.postgres, { recursive: true, force: true });
      rmSync(paths.postgresLog, { force: true });
    },
  };
}

/** Under another name first: a data folder is complete or not there, whenever this process is killed. */
async function initialise(host: Host, paths: StackPaths, password: string, as: Identity | null, route: NativePostgres): Promise<void> {
  const fresh = `${paths.postgresData}.new`;
  const passwordFile = join(paths.postgres, 'password');
  mkdirSync(paths.postgres, { recursive: true, mode: 0o700 });
  if (as !== null) chownSync(paths.postgres, as.uid, as.gid);
  rmSync(fresh, { recursive: true, force: true });
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (as !== null) chownSync(passwordFile, as.uid, as.gid);
    const options = ['--auth=scram-sha-256', '--encoding=UTF8', `--locale=${host.platform === 'darwin' ? 'C' : 'C.UTF-8'}`];
    const made = await run(join(route.bin, 'initdb'), ['-D', fresh, '-U', POSTGRES_USER, `--pwfile=${passwordFile}`, ...options], {
      env: serverEnvironment(host),
      timeoutMs: INIT_MS,
      cwd: paths.dir,
      as,
    });
    if (made.code !== 0) {
      throw new CouponError({
        code: 'POSTGRES_INIT_FAILED',
        kind: 'unreachable',
        message: `initdb of PostgreSQL ${route.version} failed in ${paths.postgres}`,
        why: lastLines(made.stderr),
        fix: 'Free some space or choose another folder, then try again.',
      });
    }
    renameSync(fresh, paths.postgresData);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}
