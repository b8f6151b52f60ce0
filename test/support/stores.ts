import type { Refusals } from '../../src/admission/ports.ts';
import { postgresLedger, type Ledger } from '../../src/stores/postgres/ledger.ts';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { inject } from 'vitest';
import { seed } from '../../src/operate/seed.ts';
import type { LedgerHealth, RedisHealth } from '../../src/campaign/ports/health.ts';
import type { CouponDefinition } from '../../src/campaign/coupon.ts';
import { Database } from '../../src/stores/postgres/connection/database.ts';
import { ledgerHealth } from '../../src/stores/postgres/health.ts';
import { migrate } from '../../src/stores/postgres/migrate.ts';
import { redisRefusals } from '../../src/stores/redis/refusals.ts';
import { redisAdmission } from '../../src/stores/redis/admission.ts';
import { redisClaims } from '../../src/stores/redis/claims.ts';
import type { RedisConnection } from '../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { redisHealth } from '../../src/stores/redis/connection/health.ts';
import type { KeyStyle } from '../../src/stores/redis/keys/keys.ts';
import { redisReader } from '../../src/stores/redis/reader.ts';

/** A database of its own in both stores, the adapters on it, and a plain client of each to look with other eyes. */
export interface TestStores extends AsyncDisposable {
  redisUrl: string;
  databaseUrl: string;
  connection: RedisConnection;
  database: Database;
  ledger: Ledger;
  admission: ReturnType<typeof redisAdmission>;
  refusals: Refusals;
  claims: ReturnType<typeof redisClaims>;
  coupons: ReturnType<typeof redisCoupons>;
  reader: ReturnType<typeof redisReader>;
  health: { redis: RedisHealth; ledger: LedgerHealth };
  redis: Redis;
  sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
  /** Empties both stores (the schema stays). */
  clear(): Promise<void>;
  seed(definition: Partial<CouponDefinition> & { id: string }): Promise<void>;
}

export interface StoreOptions {
  keyStyle?: KeyStyle;
  migrated?: boolean;
  /** False: commits do not wait for the disk, for tests that make thousands of them and crash nothing. */
  durable?: boolean;
}

/** Redis databases are numbered; the workers of one run never share one. */
let nextRedisDatabase = 1;

/** Fresh stores; dispose of them in `afterAll`. The test servers themselves are shared. */
export async function openStores({ keyStyle = 'plain', migrated = true, durable = true }: StoreOptions = {}): Promise<TestStores> {
  const worker = Number(process.env['VITEST_POOL_ID'] ?? 1);
  const redisUrl = new URL(inject('redisUrl'));
  redisUrl.pathname = `/${((worker - 1) % 2) * 7 + (nextRedisDatabase++ % 7) + 1}`;
  const databaseUrl = new URL(inject('databaseUrl'));
  const name = `coupon_test_${worker}_${randomUUID().slice(0, 8)}`;
  const admin = new pg.Client({ connectionString: inject('databaseUrl') });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  if (!durable) await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
  databaseUrl.pathname = `/${name}`;

  const redis = new Redis(redisUrl.href);
  await redis.flushdb();
  const connection = await openRedis({ url: redisUrl.href, reconnect: true });
  const database = new Database(databaseUrl.href);
  if (migrated) await migrate(database);
  const looker = new pg.Pool({ connectionString: databaseUrl.href, max: 2 });
  looker.on('error', () => undefined);
  const ledger: Ledger = postgresLedger(database);
  const coupons = redisCoupons(connection, keyStyle);

  return {
    redisUrl: redisUrl.href,
    databaseUrl: databaseUrl.href,
    connection,
    database,
    ledger,
    admission: redisAdmission(connection, keyStyle),
    refusals: redisRefusals(connection, keyStyle),
    claims: redisClaims(connection, keyStyle),
    coupons,
    reader: redisReader(connection, keyStyle),
    health: { redis: redisHealth(connection), ledger: ledgerHealth(database) },
    redis,
    sql: async (text, values = []) => (await looker.query(text, values)).rows,
    async clear() {
      await redis.flushdb();
      if (migrated) await looker.query('TRUNCATE coupons, issued_coupons');
    },
    async seed(definition) {
      const whole: CouponDefinition = { name: 'Test', total: 100, opensAt: null, closesAt: null, expiry: { kind: 'never' }, ...definition };
      await seed(whole, { ledger, coupons, newEpoch: randomUUID, keyStyle });
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      await redis.flushdb();
      redis.disconnect();
      await database.close();
      await looker.end();
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
