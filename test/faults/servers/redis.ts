import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Closers } from '../../../src/lib/closers.ts';
import { freePort } from '../../../src/stack/ports.ts';
import { launchRedis, redisProgram, type RedisProcess } from '../../support/redis-process.ts';
import { until } from '../../support/until.ts';
import { aofFiles, cutTail, loseUnsynced } from './aof.ts';
import { copyFolder, fillDisk, serverFolder, smallDisk } from './folder.ts';
import { joinReplica, type FaultReplica } from './replica.ts';
import { buildShims, needed, onceStarted } from './shims.ts';

export interface RedisOptions {
  /** `always` as the program asks for, or `everysec`. */
  appendfsync?: 'always' | 'everysec';
  /** Puts the data on a disk in memory of so many bytes, where this user may mount one. */
  diskBytes?: number;
}

/** A real Redis of the suite's own, and everything that can happen to it. */
export interface FaultRedis extends AsyncDisposable {
  /** With a password: loopback is open to everyone on the machine. */
  readonly url: string;
  readonly port: number;
  /** Where the data lies; another folder after a replica was promoted. */
  readonly dir: string;
  /** A plain client; it comes back after every loss, and what it is asked meanwhile waits. */
  readonly admin: Redis;
  /** Why neither its disk nor its clock can be slowed, watched or changed on this machine; null: they can. */
  readonly withoutShims: string | null;
  /** Whether it has a small disk of its own, see `diskBytes`. */
  readonly smallDisk: boolean;
  /** False between its end, by whichever cause, and `start`. */
  readonly running: boolean;
  /** SIGKILL. Returns when it is gone. */
  kill(): Promise<void>;
  /** On the same data and port, with the settings of the first start. Returns when the data is loaded and it answers. */
  start(): Promise<void>;

  setFsyncDelay(ms: number): void;
  /** Its time of day, away from the real one. */
  jumpClock(ms: number): void;
  /** While it is down: what was never synced is gone. Returns how many bytes. */
  loseUnsynced(): number;
  /** While it is down: cuts so many bytes from the end of the newest AOF file, or all that it has. Returns how many. */
  cutTail(bytes: number): number;
  /** No AOF file is replaced by a shorter one until the next start, and none is being replaced when this returns. */
  holdRewrites(): Promise<void>;
  /** Copies the data as it stands, also while it runs; the copy may then end in the middle of a command. One copy is kept. */
  snapshot(): Promise<void>;
  /** While it is down: the data of the last snapshot takes the place of its own. */
  restore(): Promise<void>;
  /** Leaves no room on its small disk; `freeDisk` makes room again. */
  fillDisk(): void;
  freeDisk(): void;
  /** A replica that is level with it. One at a time. */
  startReplica(): Promise<FaultReplica>;
}

const RECONNECT_MS = 20;

export async function startRedis(options: RedisOptions = {}): Promise<FaultRedis> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}

async function start({ appendfsync = 'always', diskBytes }: RedisOptions, closers: Closers): Promise<FaultRedis> {
  const program = await redisProgram();
  const folder = await serverFolder('redis');
  closers.add(folder.remove);
  const disk = diskBytes === undefined ? null : await smallDisk(join(folder.dir, 'disk'), diskBytes);
  if (disk !== null) closers.add(disk.unmount);
  const data = disk === null ? folder.dir : join(folder.dir, 'disk');
  const copy = join(folder.dir, 'snapshot');
  let ballast: string | null = null;

  const port = await freePort(folder.dir);
  const password = randomBytes(12).toString('hex');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const config = join(folder.dir, 'redis.conf'); // a password has no place on a command line
  writeFileSync(config, configuration(password), { mode: 0o600 });

  const built = await buildShims(folder.dir, ['fsync', 'clock']);
  if (typeof built !== 'string') closers.add(() => built[Symbol.dispose]());
  const launch = async (at: { port: number; dir: string; args?: string[] }): Promise<RedisProcess> => {
    const env = typeof built === 'string' ? {} : built.env;
    return await launchRedis(program, { ...at, config, password, env, args: ['--appendfsync', appendfsync, ...(at.args ?? [])] });
  };
  let lives = 0;
  const newDir = (): string => {
    lives += 1;
    const own = join(data, `data-${lives}`);
    mkdirSync(own, { mode: 0o700 });
    return own;
  };

  let dir = newDir();
  let server = await launch({ port, dir });
  closers.add(async () => await server.kill());
  const shims = onceStarted(built);
  let replica: FaultReplica | null = null;
  closers.add(async () => await replica?.[Symbol.asyncDispose]());
  const admin = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => RECONNECT_MS });
  admin.on('error', () => undefined);
  closers.add(() => admin.disconnect());

  const mustBeDown = (): void => {
    if (!server.exited) throw new Error('this is for a Redis that is down');
  };
  const afterChange = (): void => {
    if (typeof shims !== 'string') shims.assumeSynced(aofFiles(dir));
  };
  const holdRewrites = async (): Promise<void> => {
    await admin.config('SET', 'auto-aof-rewrite-percentage', '0');
    await until(async () => /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(await admin.info('persistence')));
  };

  return {
    url,
    port,
    get dir() {
      return dir;
    },
    admin,
    withoutShims: typeof shims === 'string' ? shims : null,
    smallDisk: disk !== null,
    get running() {
      return !server.exited;
    },
    kill: async () => await server.kill(),
    async start() {
      mustBeDown();
      server = await launch({ port, dir });
    },

    setFsyncDelay: (ms) => needed(shims).setFsyncDelay(ms),
    jumpClock: (ms) => needed(shims).setClockOffset(ms),
    loseUnsynced() {
      mustBeDown();
      return loseUnsynced(dir, needed(shims));
    },
    cutTail(bytes) {
      mustBeDown();
      const cut = cutTail(dir, bytes);
      afterChange();
      return cut;
    },
    holdRewrites,
    async snapshot() {
      if (!server.exited) await holdRewrites();
      rmSync(copy, { recursive: true, force: true });
      await copyFolder(join(dir, 'appendonlydir'), copy);
    },
    async restore() {
      mustBeDown();
      rmSync(join(dir, 'appendonlydir'), { recursive: true });
      await copyFolder(copy, join(dir, 'appendonlydir'));
      afterChange();
    },
    fillDisk() {
      if (disk === null) throw new Error('Redis has no disk of its own');
      ballast ??= fillDisk(data);
    },
    freeDisk() {
      if (ballast !== null) rmSync(ballast);
      ballast = null;
    },
    async startReplica() {
      if (replica !== null) throw new Error('there is a replica already');
      const at = { port: await freePort(`${folder.dir} replica`), dir: newDir() };
      replica = await joinReplica({
        primary: { url, password, kill: async () => await server.kill() },
        port: at.port,
        launch: async (args) => await launch({ ...at, args }),
        promoted(process) {
          rmSync(dir, { recursive: true });
          [server, dir, replica] = [process, at.dir, null];
        },
      });
      return replica;
    },
    [Symbol.asyncDispose]: async () => await closers[Symbol.asyncDispose](),
  };
}

function configuration(password: string): string {
  const settings = [
    `requirepass ${password}`,
    `masterauth ${password}`,
    'maxmemory-policy noeviction',
    'repl-diskless-sync-delay 0', // a replica need not wait for others to join
    '',
  ];
  return settings.join('\n');
}
