import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Closers } from '../../../src/lib/closers.ts';
import { endWithUs } from '../../support/end-with-us.ts';
import { serverEnvironment } from '../../../src/lib/process/host.ts';
import { stackPaths } from '../../../src/stack/paths.ts';
import { freePort } from '../../../src/stack/ports.ts';
import { askPostgres, ensureDatabase } from '../../../src/stack/postgres/ask.ts';
import { findNativePostgres } from '../../../src/stack/postgres/binary.ts';
import { serverIdentity } from '../../../src/stack/server-user.ts';
import { isExecutable, lastLines, run } from '../../../src/lib/process/processes.ts';
import { POSTGRES_DATABASE, POSTGRES_SETTINGS, POSTGRES_USER } from '../../../src/stack/settings.ts';
import { testHost } from '../../support/host.ts';
import { copyFolder, serverFolder, smallDisk } from './folder.ts';
import { buildShims, needed, onceStarted } from './shims.ts';

export interface PostgresOptions {
  /** Puts the data on a disk in memory of so many bytes, where this user may mount one: recovery then takes a tenth of the time. */
  diskBytes?: number;
  /** It begins as a standby of the one at this address, with the same users, and follows it. */
  standbyOf?: string;
  /** Where it listens; a free port unless given. */
  port?: number;
}

/** A real PostgreSQL of the suite's own, and everything that can happen to it. */
export interface FaultPostgres extends AsyncDisposable {
  /** With a password: loopback is open to everyone on the machine. */
  readonly url: string;
  readonly port: number;
  /** The data folder. */
  readonly dir: string;
  /** Why its disk cannot be slowed on this machine; null: it can. */
  readonly withoutShims: string | null;
  /** Why nothing can follow it on this machine; null: a standby can. */
  readonly withoutStandby: string | null;
  /** False between its end and `start`. */
  readonly running: boolean;
  /** SIGKILL of the postmaster. Returns when it is gone; its backends follow when they notice. */
  kill(): Promise<void>;
  /** Cuts all sessions and writes everything down. Returns when it and all of its backends are gone. */
  stop(): Promise<void>;
  /** On the same data and port. Returns when it has recovered and answers. */
  start(): Promise<void>;
  setFsyncDelay(ms: number): void;
  /** Stops it for as long as a copy of its data takes. One copy is kept. */
  backup(): Promise<void>;
  /** Stops it, puts the last backup in the place of its data, and starts it. */
  restoreBackup(): Promise<void>;
}

/**
 * `fdatasync` is what most Linux builds use anyway; it is said because the slow disk counts on it. Deadlocks are looked for early, so
 * that they are found while the campaign lasts. The log is kept short: it is copied with every backup.
 */
const SETTINGS = [
  'wal_sync_method=fdatasync',
  'deadlock_timeout=100ms',
  'max_wal_size=64MB',
  'min_wal_size=4MB',
  'max_connections=60', // soon taken
];

const INIT_MS = 120_000;
const START_MS = 60_000;
const RETRY_MS = 20;

export async function startPostgres(options: PostgresOptions = {}): Promise<FaultPostgres> {
  const closers = new Closers();
  try {
    return await assemble(options, closers);
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble({ diskBytes, standbyOf, port: givenPort }: PostgresOptions, closers: Closers): Promise<FaultPostgres> {
  const host = testHost();
  const as = serverIdentity(host);
  const folder = await serverFolder('postgres');
  closers.add(folder.remove);
  const own = join(folder.dir, 'postgres'); // of the user that it runs as
  mkdirSync(own, { mode: 0o700 });
  const disk = diskBytes === undefined ? null : await smallDisk(own, diskBytes);
  if (disk !== null) closers.add(disk.unmount);
  const [dir, copy, logFile] = [join(own, 'data'), join(own, 'backup'), join(folder.dir, 'postgres.log')];
  const { bin } = await findNativePostgres(host, stackPaths(folder.dir), as, () => undefined);
  // A link to the server may stand alone in its folder.
  const baseBackup = join(dirname(realpathSync(join(bin, 'postgres'))), 'pg_basebackup');
  const password = standbyOf === undefined ? randomBytes(12).toString('hex') : new URL(standbyOf).password;
  const built = await buildShims(folder.dir, ['fsync'], as);
  if (typeof built !== 'string') closers.add(() => built[Symbol.dispose]());
  const port = givenPort ?? (await freePort(folder.dir));
  await (standbyOf === undefined ? initialise() : follow(new URL(standbyOf)));

  async function initialise(): Promise<void> {
    const passwordFile = join(own, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (as !== null) for (const path of [own, passwordFile]) chownSync(path, as.uid, as.gid);
    const options = [
      '-U',
      POSTGRES_USER,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      '--wal-segsize=1',
    ];
    const made = await run(join(bin, 'initdb'), ['-D', dir, ...options], { env: serverEnvironment(host), timeoutMs: INIT_MS, as });
    if (made.code !== 0) throw new Error(`initdb failed: ${lastLines(made.stderr)}`);
  }

  async function follow({ port: from, username }: URL): Promise<void> {
    if (as !== null) chownSync(own, as.uid, as.gid);
    const options = [
      '-h',
      '127.0.0.1',
      '-p',
      from,
      '-U',
      username,
      '--write-recovery-conf',
      '--wal-method=stream',
      '--checkpoint=fast',
      '--no-sync',
    ];
    const env = serverEnvironment(host, { PGPASSWORD: password });
    const made = await run(baseBackup, ['-D', dir, ...options], { env, timeoutMs: INIT_MS, as });
    if (made.code !== 0) throw new Error(`pg_basebackup failed: ${lastLines(made.stderr)}`);
  }

  let server: ChildProcess | null = null;
  let gone = Promise.resolve();
  const running = (): boolean => server !== null;

  const launch = (): void => {
    const log = openSync(logFile, 'a', 0o600);
    const settings = [...POSTGRES_SETTINGS, ...SETTINGS, `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
    const child = spawn(join(bin, 'postgres'), ['-D', dir, ...settings.flatMap((setting) => ['-c', setting])], {
      env: serverEnvironment(host, typeof built === 'string' ? {} : built.env),
      cwd: '/',
      stdio: ['ignore', log, log],
      ...(as ? { uid: as.uid, gid: as.gid } : {}),
    });
    endWithUs(child);
    closeSync(log);
    server = child;
    gone = new Promise((resolve) => {
      for (const event of ['exit', 'error']) {
        child.once(event, () => {
          server = null;
          resolve();
        });
      }
    });
  };
  /** A killed postmaster leaves backends on its shared memory; until they are gone a new one ends itself, and is tried again. */
  const start = async (): Promise<void> => {
    if (running()) throw new Error('this PostgreSQL runs already');
    const end = performance.now() + START_MS;
    while ((await askPostgres(port, password)) === null) {
      if (performance.now() > end) throw new Error(`PostgreSQL did not start\n${lastLines(readFileSync(logFile, 'utf8'), 10)}`);
      if (!running()) launch();
      await delay(RETRY_MS);
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server?.kill(signal);
    await gone;
  };
  const stop = async (): Promise<void> => await end('SIGINT');

  closers.add(async () => await end('SIGQUIT')); // takes its backends along, and writes nothing down
  await start();
  if (standbyOf === undefined) await ensureDatabase(port, password);
  const shims = onceStarted(built);

  return {
    url: `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${POSTGRES_DATABASE}`,
    port,
    dir,
    withoutShims: typeof shims === 'string' ? shims : null,
    withoutStandby: isExecutable(baseBackup) ? null : 'there is no pg_basebackup',
    get running() {
      return running();
    },
    kill: async () => await end('SIGKILL'),
    stop,
    start,
    setFsyncDelay: (ms) => needed(shims).setFsyncDelay(ms),
    async backup() {
      await stop();
      rmSync(copy, { recursive: true, force: true });
      await copyFolder(dir, copy);
      await start();
    },
    async restoreBackup() {
      await stop();
      rmSync(dir, { recursive: true });
      await copyFolder(copy, dir);
      await start();
    },
    [Symbol.asyncDispose]: async () => await closers[Symbol.asyncDispose](),
  };
}
