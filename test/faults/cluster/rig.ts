import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Closers } from '../../../src/lib/closers.ts';
import { freePort } from '../../../src/stack/ports.ts';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { postgresLedger } from '../../../src/stores/postgres/ledger.ts';
import { migrate } from '../../../src/stores/postgres/migrate.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { runToEnd } from '../../support/processes.ts';
import { redisCluster, type TestCluster } from '../../support/redis-cluster.ts';
import type { StoresUnderLoad } from '../fault.ts';
import { startPostgres } from '../servers/postgres.ts';
import { supervise, type SupervisedProcess } from '../supervisor.ts';

export type Means = 'disk' | 'replica' | 'both';

/** `serve` and two drains on a Redis Cluster. */
export interface ClusterRig {
  cluster: TestCluster;
  stores: Omit<StoresUnderLoad, 'couponId' | 'afterwards'>;
  /** Processes that ended by themselves. */
  deaths: string[];
  /** Log files of the processes. */
  logs: string[];
}

const LEASE_MS = 1_000;

/** The caller closes what was opened, also when opening failed. */
export async function openClusterRig(meaning: Means, closers: Closers): Promise<ClusterRig> {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-cli-cluster-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres();
  closers.add(() => postgres[Symbol.asyncDispose]());
  const cluster = await redisCluster();
  closers.add(() => cluster[Symbol.asyncDispose]());
  const database = new Database(postgres.url);
  closers.add(() => database.close());
  await migrate(database);
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  closers.add(() => pool.end());
  const connection = await openRedis({ url: cluster.url, reconnect: true });
  closers.add(() => connection.close());

  const env = { REDIS_URL: cluster.url, DATABASE_URL: postgres.url };
  const deaths: string[] = [];
  const logs: string[] = [];
  const start = (name: string, argv: string[], upWhen: string | null): SupervisedProcess => {
    const log = join(folder, `${name}.log`);
    logs.push(log);
    const started = supervise({ name, argv, env, log, upWhen, onDeath: (how) => deaths.push(how) });
    closers.add(() => started.end());
    return started;
  };
  const means = ['--accepted-means', meaning];
  const port = await freePort(`${folder} serve`);
  const serve = start('serve', ['serve', '--port', String(port), ...means, '--json'], 'listening');
  start('drain-1', ['drain', '--lease', `${LEASE_MS}ms`, '--interval', '100ms', '--batch', '50', ...means], null);
  start('drain-2', ['drain', '--lease', `${LEASE_MS}ms`, '--interval', '150ms', '--batch', '200', '--eager', ...means], null);
  await serve.up();
  const stores: ClusterRig['stores'] = {
    addresses: { redis: cluster.url, postgres: postgres.url },
    endpoint: `http://127.0.0.1:${port}`,
    reader: redisReader(connection, 'hash-tag'),
    ledger: postgresLedger(database),
    sql: async (text, values = []) => (await pool.query(text, values)).rows as Record<string, unknown>[],
    command: (argv) => runToEnd(argv, { env }),
  };
  return { cluster, stores, deaths, logs };
}
