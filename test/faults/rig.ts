import { postgresLedger } from '../../src/stores/postgres/ledger.ts';
import { join } from 'node:path';
import pg from 'pg';
import { Closers } from '../../src/lib/closers.ts';
import { freePort } from '../../src/stack/ports.ts';
import { Database } from '../../src/stores/postgres/database.ts';
import { migrate } from '../../src/stores/postgres/migrate.ts';
import { RedisConnection } from '../../src/stores/redis/connection.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { redisReader } from '../../src/stores/redis/reader.ts';
import { runToEnd } from '../support/processes.ts';
import { openProxy } from '../support/tcp-proxy.ts';
import type { Rig } from './fault.ts';
import type { FaultPostgres } from './servers/postgres.ts';
import type { FaultRedis } from './servers/redis.ts';
import { supervise, type SupervisedProcess } from './supervisor.ts';

export interface WholeRig extends Rig, AsyncDisposable {
  serve: SupervisedProcess;
  drains: readonly SupervisedProcess[];
  /** What was asked for with `afterwards`; the campaign takes it from here. */
  looks: (() => Promise<string[]>)[];
  /** Processes that ended by themselves; the campaign takes them from here. */
  deaths: string[];
  /** Log files of the processes. */
  logs: readonly string[];
}

export interface RigOptions {
  redis: FaultRedis;
  postgres: FaultPostgres;
  /** For the logs. */
  folder: string;
}

const LEASE_MS = 1_000;
/** For our own looks at Redis: a disk may be slow, and the machine busy. */
const PATIENCE_MS = 60_000;

/** Two take their time, so that users wait and claims overlap; the third makes sure that a backlog ends. */
const DRAINS = [
  ['--interval', '100ms', '--batch', '10'],
  ['--interval', '150ms', '--batch', '20'],
  ['--interval', '100ms', '--batch', '50', '--eager'],
];

/** Real processes on two stores. The stores are the caller's, everything else goes with the rig. */
export async function openRig(options: RigOptions): Promise<WholeRig> {
  const closers = new Closers();
  try {
    return await assemble(options, closers);
  } catch (error) {
    await closers[Symbol.asyncDispose]();
    throw error;
  }
}

async function assemble({ redis, postgres, folder }: RigOptions, closers: Closers): Promise<WholeRig> {
  const database = new Database(postgres.url);
  closers.add(() => database.close());
  await migrate(database);
  const pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
  pool.on('error', () => undefined);
  closers.add(() => pool.end());
  const connection = await RedisConnection.open({ url: redis.url, reconnect: true, commandTimeoutMs: PATIENCE_MS });
  closers.add(() => connection.close());

  const links = { redis: await openProxy(redis.url), postgres: await openProxy(postgres.url) };
  for (const link of [links.redis, links.postgres]) closers.add(() => link[Symbol.asyncDispose]());
  const env = { REDIS_URL: links.redis.through(redis.url), DATABASE_URL: links.postgres.through(postgres.url) };
  const logs: string[] = [];
  const deaths: string[] = [];
  const start = (name: string, argv: readonly string[], upWhen: string | null): SupervisedProcess => {
    const log = join(folder, `${name}.log`);
    logs.push(log);
    const started = supervise({ name, argv, env, log, upWhen, onDeath: (how) => deaths.push(how) });
    closers.add(() => started.end());
    return started;
  };
  const port = await freePort(`${folder} serve`);
  const serve = start('serve', ['serve', '--host', '127.0.0.1', '--port', String(port), '--json'], 'listening');
  const drains = DRAINS.map((pace, index) => start(`drain-${index + 1}`, ['drain', '--lease', `${LEASE_MS}ms`, ...pace], null));
  await serve.up();

  const looks: WholeRig['looks'] = [];
  return {
    couponId: '',
    leaseMs: LEASE_MS,
    redis,
    postgres,
    links,
    serve,
    drains,
    endpoint: `http://127.0.0.1:${port}`,
    reader: redisReader(connection, 'plain'),
    ledger: postgresLedger(database),
    coupons: redisCoupons(connection, 'plain'),
    sql: async (text, values = []) => (await pool.query(text, values)).rows,
    command: (argv) => runToEnd(argv, { env: { REDIS_URL: redis.url, DATABASE_URL: postgres.url } }),
    looks,
    afterwards: (look) => void looks.push(look),
    deaths,
    logs,
    [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose](),
  };
}
