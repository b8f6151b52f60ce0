import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CouponError } from '../../lib/errors.ts';
import { serverEnvironment, type Host } from '../../lib/host.ts';
import { stopProcess, worksIn } from '../ownership.ts';
import type { StackPaths } from '../paths.ts';
import { askPostgres } from './ask.ts';
import type { NativePostgres } from './binary.ts';
import { lastLines, launch, run, type Identity } from '../../lib/processes.ts';
import { readPid } from '../redis/native.ts';
import { POSTGRES_SETTINGS, POSTGRES_USER } from '../settings.ts';
import type { StoreDriver } from '../store.ts';

const INIT_MS = 120_000;

/** PostgreSQL as a process of our own, or of the user that it has to run as. `route` is asked for when there is something to start. */
export function nativePostgres(
  host: Host,
  paths: StackPaths,
  password: string,
  as: Identity | null,
  route: () => Promise<NativePostgres>,
): StoreDriver {
  const pidFile = join(paths.postgresData, 'postmaster.pid');

  async function isOurs(pid: number): Promise<boolean> {
    return await worksIn(host, pid, paths.postgresData, ['postgres', 'postmaster']);
  }

  async function findPid(): Promise<number | null> {
    const pid = readPid(pidFile);
    return pid !== null && (await isOurs(pid)) ? pid : null;
  }

  return {
    label: 'PostgreSQL',
    logFile: paths.postgresLog,
    findPid,
    ask: async (port) => await askPostgres(port, password),
    async prepare() {
      if (!existsSync(paths.postgresData)) await initialise(host, paths, password, as, await route());
    },
    async launch(port) {
      const { bin } = await route();
      // No unix socket: its path may be 107 bytes long at most, and everyone comes through loopback anyway.
      const settings = [...POSTGRES_SETTINGS, `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
      return launch(join(bin, 'postgres'), ['-D', paths.postgresData, ...settings.flatMap((setting) => ['-c', setting])], {
        env: serverEnvironment(host, strangerOnFile(pidFile)),
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
    async crash() {
      const pid = await findPid();
      // The immediate shutdown: sessions are cut, nothing is written down, the next start recovers from the log. A SIGKILL would
      // leave its helpers behind, on shared memory that the next server has to wait for.
      if (pid !== null) await stopProcess(host, pid, 'PostgreSQL', async () => await isOurs(pid), ['SIGQUIT', 'SIGQUIT']);
    },
    async purge() {
      rmSync(paths.postgres, { recursive: true, force: true });
      rmSync(paths.postgresLog, { force: true });
    },
  };
}

/** Under another name first: a data folder is complete or not there, whenever this process is killed. */
async function initialise(host: Host, paths: StackPaths, password: string, as: Identity | null, route: NativePostgres): Promise<void> {
  const fresh = join(paths.postgres, `new-${randomUUID()}`); // an initdb whose starter was killed may still be writing to its own
  const passwordFile = join(paths.postgres, 'password');
  mkdirSync(paths.postgres, { recursive: true, mode: 0o700 });
  if (as !== null) chownSync(paths.postgres, as.uid, as.gid);
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
    removeUnfinished(paths);
    rmSync(passwordFile, { force: true });
  }
}

/** Best effort: what cannot be removed now is removed after the next initdb, or with the whole stack. */
function removeUnfinished(paths: StackPaths): void {
  for (const name of readdirSync(paths.postgres).filter((entry) => entry.startsWith('new-'))) {
    try {
      rmSync(join(paths.postgres, name), { recursive: true, force: true });
    } catch {
      // a killed command's initdb is still writing
    }
  }
}

/**
 * PostgreSQL does not start while the pid in its pid file exists, whoever has that pid now: after a crash in a container that may be any
 * process, or a dead one that nobody has collected. Removing the file would also remove PostgreSQL's protection against a second server
 * on the same data. Instead, for a pid that we have looked at and that is no server of this folder, we say what pg_ctl says of its own
 * pid; PostgreSQL then still makes sure by itself that nobody uses the memory of the old server.
 */
function strangerOnFile(pidFile: string): Record<string, string> {
  const pid = readPid(pidFile);
  return pid === null ? {} : { PG_GRANDPARENT_PID: String(pid) };
}
