import { postgresLedger } from '../../src/stores/postgres/ledger.ts';
import { join } from 'node:path';
import pg from 'pg';
import type { Closers } from '../../src/lib/closers.ts';
import { freePort } from '../../src/stack/ports.ts';
import { Database } from '../../src/stores/postgres/connection/database.ts';
import { migrate } from '../../src/stores/postgres/migrate.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { redisReader } from '../../src/stores/redis/reader.ts';
import { runToEnd } from '../support/processes.ts';
import type { Ground, Grounds, RigOnAnyGround } from './fault.ts';
import type { OpenGround } from './grounds.ts';
import { supervise, type SupervisedProcess } from './supervisor.ts';

/** With what a campaign needs and a fault does not. */
export interface RigOfCampaign extends RigOnAnyGround {
  serve: SupervisedProcess;
  drains: readonly SupervisedProcess[];
  /** What was asked for with `afterwards`; the campaign takes it from here. */
  looks: (() => Promise<string[]>)[];
  /** Processes that ended by themselves; the campaign takes them from here. */
  deaths: string[];
  /** Log files of the processes. */
  logs: readonly string[];
}

export type WholeRig<G extends Ground = Ground> = RigOfCampaign & Grounds[G];

const LEASE_MS = 1_000;
/** For our own looks at Redis: a disk may be slow, and the machine busy. */
const PATIENCE_MS = 60_000;

/** The first takes its time, so that claims overlap; of the others one drains the backlog, and the next takes over where that one ends. */
const DRAINS = [
  ['--interval', '100ms', '--batch', '10'],
  ['--interval', '150ms', '--batch', '20', '--eager'],
  ['--interval', '100ms', '--batch', '50', '--eager'],
];

/** Real processes on the stores of a ground. The caller closes them, also when opening failed. @param folder for the logs */
export async function openRig<G extends Ground>(ground: OpenGround<G>, folder: string, closers: Closers): Promise<WholeRig<G>> {
  const { stores, program, suite, flags } = ground;
  const database = new Database(suite.postgres);
  closers.add(() => database.close());
  await migrate(database);
  const pools = new Map<string, pg.Pool>();
  const poolOf = (url: string): pg.Pool => {
    const pool = pools.get(url) ?? new pg.Pool({ connectionString: url, max: 4 });
    if (!pools.has(url)) pool.on('error', () => undefined);
    pools.set(url, pool);
    return pool;
  };
  closers.add(async () => void (await Promise.all([...pools.values()].map((pool) => pool.end()))));
  const connection = await openRedis({ url: suite.redis, reconnect: true, commandTimeoutMs: PATIENCE_MS });
  closers.add(() => connection.close());
  const env = { REDIS_URL: program.redis, DATABASE_URL: program.postgres };
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
  const serve = start('serve', ['serve', '--host', '127.0.0.1', '--port', String(port), '--json', ...flags], 'listening');
  const drains = DRAINS.map((pace, index) => start(`drain-${index + 1}`, ['drain', '--lease', `${LEASE_MS}ms`, ...pace, ...flags], null));
  await serve.up();

  const looks: RigOfCampaign['looks'] = [];
  return {
    ...stores,
    addresses: suite,
    couponId: '',
    leaseMs: LEASE_MS,
    serve,
    drains,
    endpoint: `http://127.0.0.1:${port}`,
    reader: redisReader(connection, 'plain'),
    ledger: postgresLedger(database),
    coupons: redisCoupons(connection, 'plain'),
    sql: async (text, values = []) => (await poolOf(ground.writable()).query(text, values)).rows,
    command: (argv) => runToEnd(argv, { env: { REDIS_URL: suite.redis, DATABASE_URL: suite.postgres } }),
    looks,
    afterwards: (look) => void looks.push(look),
    deaths,
    logs,
  };
}
