import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/stack/ports.ts';
import { launchRedis, redisProgram, type RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

export interface Sentinels extends AsyncDisposable {
  /** In the form of Lettuce. */
  url: string;
  /** Of the sentinels, on 127.0.0.1. */
  ports: readonly number[];
  /** The primary and its replica change places, and both live on. Returns as soon as the sentinels have taken it on. */
  switchOver(): Promise<void>;
  /** Ends the primary as a crash would, and returns once another one is promoted. */
  failOver(): Promise<void>;
  /**
   * The same, and the replica that is promoted lacks what was written since this was called. Returns what strikes, which may be done later.
   */
  fallBehind(): Promise<() => Promise<void>>;
  /** Starts the server that was ended, on its data, as a replica of the one that was promoted. Returns when it has caught up. */
  rejoin(): Promise<void>;
}

const MASTER = 'shop';
/** A busy machine must not look like a dead server. */
const DOWN_AFTER_MS = 3_000;
/** After a failover they wait for twice its time-out before the next one. */
const PROMOTED_MS = 60_000;
const DISKLESS = ['--repl-diskless-sync-delay', '0'];

interface Node {
  port: number;
  dir: string;
  server: RedisProcess;
}

/** A primary with a replica, and three sentinels that watch over them. */
export async function sentinels(): Promise<Sentinels> {
  const program = await redisProgram();
  const dir = mkdtempSync(join(tmpdir(), 'coupon-sentinels-'));
  const running: RedisProcess[] = [];
  const begin = async (own: string, port: number, args: string[], file: { config?: string } = {}): Promise<RedisProcess> => {
    const server = await launchRedis(program, { port, dir: own, ...file, args });
    running.push(server);
    return server;
  };
  const launch = async (name: string, args: string[], config?: string): Promise<Node> => {
    const own = mkdtempSync(join(dir, `${name}-`));
    const port = await freePort(own);
    const file = config === undefined ? {} : { config: join(own, 'sentinel.conf') };
    if (config !== undefined) writeFileSync(file.config!, config);
    return { port, dir: own, server: await begin(own, port, args, file) };
  };
  let primary = await launch('primary', DISKLESS);
  let replica = await launch('replica', [...DISKLESS, ...following(primary)]);
  await level(replica);
  const config = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} 4000`,
    '',
  ].join('\n');
  const ports: number[] = [];
  for (let index = 0; index < 3; index += 1) ports.push((await launch('sentinel', ['--sentinel'], config)).port);

  const ask = new Redis({ port: ports[0]!, host: '127.0.0.1' });
  ask.on('error', () => undefined);
  const master = async (): Promise<number> => Number(((await ask.call('SENTINEL', 'get-master-addr-by-name', MASTER)) as string[])[1]);
  // Until they know the replica and each other, nothing can be promoted.
  await until(async () => {
    const fields = (await ask.call('SENTINEL', 'master', MASTER)) as string[];
    const field = (name: string): number => Number(fields[fields.indexOf(name) + 1]);
    return field('num-slaves') === 1 && field('num-other-sentinels') === 2;
  });
  const promoted = async (): Promise<void> => {
    await until(async () => (await master()) === replica.port, PROMOTED_MS);
    [primary, replica] = [replica, primary];
    await until(async () => (await askOnce(primary, (redis) => redis.info('replication'))).includes('role:master'), PROMOTED_MS);
  };
  return {
    url: sentinelUrl(ports),
    ports,
    async switchOver() {
      await ask.call('SENTINEL', 'FAILOVER', MASTER);
      await promoted();
    },
    async failOver() {
      await primary.server.kill();
      await promoted();
    },
    async fallBehind() {
      process.kill(replica.server.pid, 'SIGSTOP');
      // What is sent over this link lies in its kernel, and would be read later.
      await askOnce(primary, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'replica'));
      return async () => {
        await primary.server.kill();
        process.kill(replica.server.pid, 'SIGCONT');
        await promoted();
      };
    },
    async rejoin() {
      replica.server = await begin(replica.dir, replica.port, [...DISKLESS, ...following(primary)]);
      await level(replica);
    },
    async [Symbol.asyncDispose]() {
      ask.disconnect();
      for (const server of running) await server.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function sentinelUrl(ports: readonly number[]): string {
  return `redis-sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/0#${MASTER}`;
}

function following({ port }: Node): string[] {
  return ['--replicaof', '127.0.0.1', String(port)];
}

/** Returns when the replica has all that its primary has. */
async function level(replica: Node): Promise<void> {
  await until(async () => (await askOnce(replica, (redis) => redis.info('replication'))).includes('master_link_status:up'));
}

async function askOnce<T>({ port }: Node, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host: '127.0.0.1' });
  redis.on('error', () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
