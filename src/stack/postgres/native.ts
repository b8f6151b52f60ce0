import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CouponError } from '../../lib/errors.ts';
import { serverEnvironment, type Host } from '../../lib/process/host.ts';
import { lastLines, launch, run, type Identity, type Output } from '../../lib/process/processes.ts';
import { listensOn, stopProcess, worksIn } from '../ownership.ts';
import type { StackPaths } from '../paths.ts';
import { prepareServerFolder, removeServerFolder } from '../server-folder.ts';
import { POSTGRES_SETTINGS, POSTGRES_USER } from '../settings.ts';
import { readPid } from '../small-file.ts';
import type { Secrets } from '../state.ts';
import { PREDECESSOR, type StoreDriver } from '../store.ts';
import { until } from '../wait.ts';
import { askPostgres } from './ask.ts';
import type { NativePostgres } from './binary.ts';

const INIT_MS = 120_000;
const SET_PASSWORD_MS = 60_000;

/** PostgreSQL as a process of our own, or of the user that it has to run as. `route` is asked for when there is something to start. */
export function nativePostgres(
  host: Host,
  paths: StackPaths,
  secrets: Secrets,
  as: Identity | null,
  route: () => Promise<NativePostgres>,
): StoreDriver {
  const pidFile = join(paths.postgresData, 'postmaster.pid');
  const owner = as?.uid ?? host.uid;

  async function isOurs(pid: number): Promise<boolean> {
    return await worksIn(host, pid, paths.postgresData, ['postgres', 'postmaster'], owner);
  }

  async function findPid(): Promise<number | null> {
    const pid = readPid(pidFile);
    return pid !== null && (await isOurs(pid)) ? pid : null;
  }

  return {
    label: 'PostgreSQL',
    logFile: paths.postgresLog,
    findPid,
    async ask(port) {
      const pid = await findPid();
      if (pid === null || !(await listensOn(host, pid, port, owner))) return null;
      return await askPostgres(port, secrets.postgres);
    },
    async prepare() {
      await prepareServerFolder(host, paths.postgres, as);
      if (!existsSync(paths.postgresData)) await initialise(host, paths, as, await route());
    },
    async setPassword() {
      await setPassword(host, paths, secrets.postgres, as, await route(), strangerOnFile(pidFile));
    },
    async launch(port) {
      const { bin } = await route();
      // In the stack's own folder, which only we can write: the data folder may be another user's.
      writeFileSync(paths.postgresHba, HBA, { mode: 0o644 });
      // No unix socket: its path may be 107 bytes long at most, and everyone comes through loopback anyway.
      const own = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `hba_file=${paths.postgresHba}`];
      const settings = [...POSTGRES_SETTINGS, ...own];
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
      await removeServerFolder(host, paths.postgres, as);
      for (const file of [paths.postgresLog, paths.postgresHba]) rmSync(file, { force: true });
    },
  };
}

/** No login without SCRAM, which does not show the password to a listener. */
const HBA = 'host all all 127.0.0.1/32 scram-sha-256\n';

/**
 * Under another name first: a data folder is complete or not there, whenever this process is killed. Nobody can log in yet: the password
 * comes later, and never through a file.
 */
async function initialise(host: Host, paths: StackPaths, as: Identity | null, route: NativePostgres): Promise<void> {
  const fresh = join(paths.postgres, `new-${randomUUID()}`); // an initdb whose starter was killed may still be writing to its own
  const asServer = { env: serverEnvironment(host), timeoutMs: INIT_MS, cwd: paths.dir, as };
  try {
    const options = ['--auth=reject', '--encoding=UTF8', `--locale=${host.platform === 'darwin' ? 'C' : 'C.UTF-8'}`];
    const made = await run(join(route.bin, 'initdb'), ['-D', fresh, '-U', POSTGRES_USER, ...options], asServer);
    const named = made.code === 0 ? await run('mv', [fresh, paths.postgresData], asServer) : made;
    if (named.code !== 0) {
      throw new CouponError({
        code: 'POSTGRES_INIT_FAILED',
        kind: 'unreachable',
        message: `initdb of PostgreSQL ${route.version} failed in ${paths.postgres}`,
        why: lastLines(named.stderr),
        fix: 'Free some space or choose another folder, then try again.',
      });
    }
  } finally {
    // Best effort: what cannot be removed now is removed after the next initdb, or with the whole stack.
    await run('find', [paths.postgres, '-mindepth', '1', '-maxdepth', '1', '-name', 'new-*', '-exec', 'rm', '-rf', '{}', '+'], asServer);
  }
}

/** In single-user mode, which asks for no password and listens nowhere. */
async function setPassword(
  host: Host,
  paths: StackPaths,
  password: string,
  as: Identity | null,
  { bin, version }: NativePostgres,
  stranger: Record<string, string>,
): Promise<void> {
  // An error must not log the statement.
  const settings = ['password_encryption=scram-sha-256', 'log_min_error_statement=panic'].flatMap((setting) => ['-c', setting]);
  const once = async (): Promise<Output> =>
    await run(join(bin, 'postgres'), ['--single', '-D', paths.postgresData, ...settings, 'postgres'], {
      env: serverEnvironment(host, stranger),
      timeoutMs: SET_PASSWORD_MS,
      cwd: paths.dir,
      as,
      input: `ALTER ROLE ${POSTGRES_USER} PASSWORD '${password}';\n`,
    });
  let last = await once();
  await until(
    async () => {
      if (!PREDECESSOR.test(last.stderr)) return true;
      last = await once();
      return null;
    },
    SET_PASSWORD_MS,
    250,
  );
  if (last.code === 0 && !/ERROR|FATAL/.test(last.stderr)) return;
  throw new CouponError({
    code: 'STACK_START_FAILED',
    kind: 'unreachable',
    message: `PostgreSQL ${version} could not be given its password`,
    why: lastLines(last.stderr.replaceAll(password, '***')),
    fix: '"dev down --purge --confirm" starts over with empty stores.',
  });
}

/**
 * PostgreSQL does not start while the pid in its pid file exists, whichever process has that pid now: after a crash in a container that may be any
 * process, or a dead one that no parent has collected. Removing the file would also remove PostgreSQL's protection against a second server
 * on the same data. Instead, for a pid that we have looked at and that is no server of this folder, we say what pg_ctl says of its own
 * pid; PostgreSQL then still makes sure by itself that no process uses the memory of the old server.
 */
function strangerOnFile(pidFile: string): Record<string, string> {
  const pid = readPid(pidFile);
  return pid === null ? {} : { PG_GRANDPARENT_PID: String(pid) };
}
