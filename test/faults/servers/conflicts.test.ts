import { postgresLedger } from '../../../src/stores/postgres/ledger.ts';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/stores/postgres/connection/database.ts';
import { migrate } from '../../../src/stores/postgres/migrate.ts';
import type { RedisConnection } from '../../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../../src/stores/redis/connection/open.ts';
import { redisReader } from '../../../src/stores/redis/reader.ts';
import { runToEnd, start, type Running } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import type { HarmlessFault, Random, Rig } from '../fault.ts';
import { postgresFaults } from '../kinds/postgres.ts';
import { startPostgres, type FaultPostgres } from './postgres.ts';
import { startRedis, type FaultRedis } from './redis.ts';

const DISK_BYTES = 256 << 20;

const faultOf = (kind: string): HarmlessFault => postgresFaults.find((fault) => fault.kind === kind)!;

/** The choices of a fault: of what it picks from, always the same one. */
const always = (choice: number): Random => ({
  next: Math.random,
  int: (min, max) => min + Math.floor(Math.random() * (max - min + 1)),
  pick: (items) => items[choice]!,
});

describe('PostgreSQL takes a transaction of a worker back', () => {
  let redis: FaultRedis;
  let postgres: FaultPostgres;
  let database: Database;
  let connection: RedisConnection;
  let pool: pg.Pool;
  let drain: Running;
  let rig: Rig;
  const looks: (() => Promise<string[]>)[] = [];

  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis({ diskBytes: DISK_BYTES }), startPostgres({ diskBytes: DISK_BYTES })]);
    database = new Database(postgres.url);
    await migrate(database);
    connection = await openRedis({ url: redis.url, reconnect: true });
    pool = new pg.Pool({ connectionString: postgres.url });
    const env = { REDIS_URL: redis.url, DATABASE_URL: postgres.url };
    drain = start(['drain', '--lease', '10s', '--interval', '100ms', '--json'], { env });
    rig = {
      couponId: 'sale',
      redis,
      postgres,
      reader: redisReader(connection, 'plain'),
      ledger: postgresLedger(database),
      sql: async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows,
      command: (argv: readonly string[]) => runToEnd(argv, { env }),
      afterwards: (look: () => Promise<string[]>) => void looks.push(look),
    } as unknown as Rig;
  });
  afterAll(async () => {
    drain.child.kill('SIGKILL');
    await drain.finished;
    connection.close();
    await Promise.all([database.close(), pool.end()]);
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
  });
  const deadlocks = async (): Promise<number> =>
    Number((await rig.sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'))[0]!['deadlocks']);
  const brokenPromises = async (): Promise<string[]> => (await Promise.all(looks.splice(0).map((look) => look()))).flat();

  it.each([
    ['the worker', 0],
    ['the other session', 1],
  ])('or of who stands in its way, after a real deadlock: %s is the first choice', async (_victim, choice) => {
    const before = await deadlocks();
    await faultOf('deadlock').inflict(rig, always(choice));
    await until(async () => (await deadlocks()) > before);
    expect(looks.length).toBeGreaterThan(0);
    expect(await brokenPromises()).toEqual([]);
  });

  it('because it cannot serialize, for a while, two times of three', async () => {
    const codes: unknown[] = [];
    const over = new AbortController();
    const insertsOfOurs = (async () => {
      while (!over.signal.aborted) {
        await delay(20);
        await rig.sql('INSERT INTO issued_coupons SELECT * FROM issued_coupons WHERE false').then(
          () => codes.push('ok'),
          (error: pg.DatabaseError) => codes.push(error.code),
        );
      }
    })();
    await faultOf('serialization').inflict(rig, always(0));
    const during = new Set(codes.splice(0));
    expect(during).toEqual(new Set(['ok', '40001']));
    await until(() => codes.length >= 3);
    over.abort();
    await insertsOfOurs;
    expect(new Set(codes)).toEqual(new Set(['ok']));
    expect(await brokenPromises()).toEqual([]);
  });
});
