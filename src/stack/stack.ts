import { CouponError, usageError } from '../lib/errors.ts';
import { containerPostgres, containerRedis } from './docker/containers.ts';
import type { Host, Log } from '../lib/process/host.ts';
import { withLock } from './lock.ts';
import { ensureOwnFolder, isOwnFolder, refusePrivateParent, stackFolderMode, stackPaths, type StackPaths } from './paths.ts';
import { ensureDatabase } from './postgres/ask.ts';
import { findNativePostgres, findPostgres, type NativePostgres } from './postgres/binary.ts';
import { nativePostgres } from './postgres/native.ts';
import { serverIdentity } from './server-user.ts';
import { findNativeRedis, findRedis, type NativeRedis } from './redis/binary.ts';
import { nativeRedis } from './redis/native.ts';
import { POSTGRES_DATABASE, POSTGRES_USER } from './settings.ts';
import { refuseOtherFolder, removeFolder, removeStack } from './stack-folder.ts';
import { readOrCreateSecrets, readSecrets, readState, rememberStore, renewSecret, type Secrets, type StackState } from './state.ts';
import { bringUp, type StoreDriver } from './store.ts';

export { defaultStackDir } from './paths.ts';
export type { Host } from '../lib/process/host.ts';

/**
 * The local stack: one real Redis and one real PostgreSQL on loopback, for one clone (or one test run, or one demo).
 *
 * A stack is a folder. It holds the data of both servers, their logs, their passwords, and a note of their ports; whether a server
 * runs is always asked of the system and of the server itself, so a killed command leaves nothing that the next one cannot pick up.
 */
export interface StoreStatus {
  running: boolean;
  url: string | null;
  /** Null when the server does not run, or runs in Docker. */
  pid: number | null;
  /** Which route won, for example "redis-server on PATH". */
  how: string | null;
  version: string | null;
}

export interface StackStatus {
  dir: string;
  redis: StoreStatus;
  postgres: StoreStatus;
}

export interface Stack extends StackStatus {
  redisUrl: string;
  databaseUrl: string;
}

type StoreName = keyof StackState;

/** Brings both servers up and returns when both answer. Safe to repeat, and to run twice at once. */
export async function stackUp(host: Host, options: { dir: string; log?: Log }): Promise<Stack> {
  const { dir, log = () => {} } = options;
  const paths = stackPaths(dir);
  refuseWindows(host);
  return await locked(host, paths, log, async () => {
    refuseOtherFolder(paths);
    const secrets = readOrCreateSecrets(paths);
    // Both routes before the first start: where one cannot be had, the other is not left running alone.
    const [redis, postgres] = await Promise.all([chooseRedis(host, paths, secrets, log), choosePostgres(host, paths, secrets, log)]);
    const renew = (name: StoreName, { container }: Chosen) => (container ? undefined : () => renewSecret(paths, secrets, name));
    await settled([
      storeUp(paths, 'redis', redis, log, renew('redis', redis)),
      storeUp(paths, 'postgres', postgres, log, renew('postgres', postgres)),
    ]);
    const { port } = readState(paths).postgres!;
    await ensureDatabase(port, secrets.postgres);
    const status = await statusOf(host, paths);
    const [redisUrl, databaseUrl] = [status.redis.url, status.postgres.url];
    if (redisUrl !== null && databaseUrl !== null) return { ...status, redisUrl, databaseUrl };
    throw new CouponError({
      code: 'STACK_DIED',
      kind: 'unreachable',
      message: 'a server of the stack ended right after its start',
      fix: `Look at the logs in ${dir}.`,
    });
  });
}

/** Stops what runs; its data stays, unless `purge` is set. Returns the names of the servers that were stopped. */
export async function stackDown(
  host: Host,
  options: { dir: string; purge?: boolean; log?: Log },
): Promise<{ stopped: StoreName[]; purged: boolean }> {
  const { dir, purge = false, log = () => {} } = options;
  const paths = stackPaths(dir);
  if (!isOwnFolder(host, dir)) return { stopped: [], purged: false };
  const done = await locked(host, paths, log, async () => {
    const secrets = readSecrets(paths);
    if (secrets === null) return { stopped: [], purged: false };
    const drivers = knownDrivers(host, paths, secrets, log);
    const stopped = await settled(STORES.map(async (name) => ((await drivers[name].stop()) ? [name] : [])));
    if (purge) {
      await settled(STORES.map(async (name) => await drivers[name].purge()));
      removeStack(paths);
    }
    return { stopped: stopped.flat(), purged: purge };
  });
  removeFolder(paths.dir); // if it is empty
  return done;
}

/**
 * Ends one server of a running stack as a crash would, and starts it again on its data and on its port. Returns when it answers.
 *
 * @throws CouponError `STACK_NOT_UP`, `STACK_PORT_LOST` (it runs again, but on another port), and whatever a start throws
 */
export async function stackRestart(host: Host, options: { dir: string; store: StoreName; log?: Log }): Promise<void> {
  const { dir, store, log = () => {} } = options;
  const paths = stackPaths(dir);
  await locked(host, paths, log, async () => {
    const secrets = readSecrets(paths);
    const known = readState(paths)[store];
    if (secrets === null || known === undefined) throw usageError('STACK_NOT_UP', `there is no stack in ${dir}`, 'Bring one up first.');
    const driver = knownDrivers(host, paths, secrets, log)[store];
    await driver.crash();
    await storeUp(paths, store, { driver, how: known.how, container: known.container }, log);
    const { port } = readState(paths)[store]!;
    if (port === known.port) return;
    throw new CouponError({
      code: 'STACK_PORT_LOST',
      kind: 'failure',
      message: `${driver.label} runs again, but on port ${port}: another process took port ${known.port} meanwhile`,
      fix: 'Run it again; `coupon-cli dev env` prints the new address.',
    });
  });
}

async function locked<T>(host: Host, paths: StackPaths, log: Log, work: () => Promise<T>): Promise<T> {
  const prepare = (): void => {
    ensureOwnFolder(host, paths.dir, stackFolderMode(host));
    refusePrivateParent(host, paths.dir);
  };
  return await withLock(host, paths.lock, log, prepare, work);
}

/** Lets all of them come to an end, also when one fails: nothing goes on after the lock is given back. */
async function settled<T>(tasks: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return await Promise.all(tasks);
}

/** Looks, and changes nothing. */
export async function stackStatus(host: Host, options: { dir: string }): Promise<StackStatus> {
  isOwnFolder(host, options.dir);
  return await statusOf(host, stackPaths(options.dir));
}

/** The Redis program of this machine, for tests that run servers of their own beside the stack's: a cluster, or one with a password. */
export async function redisServerCommand(
  host: Host,
  dir: string,
  log: Log = () => {},
): Promise<{ command: string; env: Record<string, string>; how: string }> {
  const { command, env, how } = await findNativeRedis(host, dir, log);
  return { command, env, how };
}

const STORES: StoreName[] = ['redis', 'postgres'];

/** A driver and what `status` says about the way it was obtained. */
interface Chosen {
  driver: StoreDriver;
  how: string;
  container: boolean;
}

/** A stack that was made in Docker stays there; a native server that runs needs no search for a program to start it with. */
async function chooseRedis(host: Host, paths: StackPaths, secrets: Secrets, log: Log): Promise<Chosen> {
  const known = readState(paths).redis;
  const running = knownDrivers(host, paths, secrets, log).redis;
  if (known !== undefined && (known.container || (await running.findPid()) !== null)) return { driver: running, ...known };
  const route = await findRedis(host, paths.dir, log);
  if (route.kind === 'docker') return { driver: containerRedis(host, paths, secrets), how: route.how, container: true };
  return { driver: nativeRedis(host, paths, secrets, serverIdentity(host), async () => route), how: route.how, container: false };
}

async function choosePostgres(host: Host, paths: StackPaths, secrets: Secrets, log: Log): Promise<Chosen> {
  const known = readState(paths).postgres;
  const running = knownDrivers(host, paths, secrets, log).postgres;
  if (known !== undefined && (known.container || (await running.findPid()) !== null)) return { driver: running, ...known };
  const as = serverIdentity(host);
  const route = await findPostgres(host, paths, as, log);
  if (route.kind === 'docker') return { driver: containerPostgres(host, paths, secrets), how: route.how, container: true };
  return { driver: nativePostgres(host, paths, secrets, as, async () => route), how: route.how, container: false };
}

/** The drivers of a stack as it was made. They search for a program to start only when what runs turns out to be gone. */
function knownDrivers(host: Host, paths: StackPaths, secrets: Secrets, log: Log): Record<StoreName, StoreDriver> {
  const state = readState(paths);
  const redis = async (): Promise<NativeRedis> => await findNativeRedis(host, paths.dir, log);
  const as = state.postgres?.container && state.redis?.container ? null : serverIdentity(host);
  const postgres = async (): Promise<NativePostgres> => await findNativePostgres(host, paths, as, log);
  return {
    redis: state.redis?.container ? containerRedis(host, paths, secrets) : nativeRedis(host, paths, secrets, as, redis),
    postgres: state.postgres?.container ? containerPostgres(host, paths, secrets) : nativePostgres(host, paths, secrets, as, postgres),
  };
}

async function storeUp(
  paths: StackPaths,
  name: StoreName,
  { driver, how, container }: Chosen,
  log: Log,
  newPassword?: () => void,
): Promise<void> {
  const known = readState(paths)[name];
  const remember = (port: number): void => rememberStore(paths, name, { port, how, container });
  const { port, version, started } = await bringUp(driver, known?.port ?? null, `${paths.dir} ${name}`, remember, log, newPassword);
  if (started) log(`${driver.label} ${version} is ready on 127.0.0.1:${port} (${how})`);
}

async function statusOf(host: Host, paths: StackPaths): Promise<StackStatus> {
  const state = readState(paths);
  const secrets = readSecrets(paths);
  const look = async (name: StoreName): Promise<StoreStatus> => {
    const record = state[name];
    if (record === undefined || secrets === null) return { running: false, url: null, pid: null, how: null, version: null };
    const driver = knownDrivers(host, paths, secrets, () => {})[name];
    const [pid, version] = await Promise.all([driver.findPid(), driver.ask(record.port)]);
    const url = version === null ? null : urlOf(name, record.port, secrets[name]);
    return { running: version !== null, url, pid, how: record.how, version };
  };
  const [redis, postgres] = await Promise.all([look('redis'), look('postgres')]);
  return { dir: paths.dir, redis, postgres };
}

function urlOf(name: StoreName, port: number, password: string): string {
  if (name === 'redis') return `redis://default:${password}@127.0.0.1:${port}`; // redis-cli 7 takes no empty user
  return `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${POSTGRES_DATABASE}`;
}

function refuseWindows(host: Host): void {
  if (host.platform !== 'win32') return;
  throw usageError(
    'PLATFORM_UNSUPPORTED',
    'the local stack needs Linux or macOS',
    'Use WSL (Windows Subsystem for Linux), or your own stores.',
  );
}
