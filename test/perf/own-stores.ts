import { postgresLedger, type Ledger } from '../../src/stores/postgres/ledger.ts';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Admission } from '../../src/campaign/ports/admission.ts';
import type { ClaimQueue } from '../../src/drain/ports.ts';
import { seed } from '../../src/operate/seed.ts';
import { defaultStackDir, stackDown, stackUp } from '../../src/stack/stack.ts';
import { Database } from '../../src/stores/postgres/connection/database.ts';
import { migrate } from '../../src/stores/postgres/migrate.ts';
import { redisAdmission } from '../../src/stores/redis/admission.ts';
import { redisClaims } from '../../src/stores/redis/claims.ts';
import type { RedisConnection } from '../../src/stores/redis/connection/connection.ts';
import { openRedis } from '../../src/stores/redis/connection/open.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { testHost } from '../support/host.ts';
import { purgeOrphans } from '../support/orphans.ts';

const VALID_FOR_MS = 30 * 86_400_000;

/** Both stores for one measurement alone, empty and migrated; gone with the scope. */
export interface OwnStores extends AsyncDisposable {
  redisUrl: string;
  databaseUrl: string;
  redis: Redis;
  connection: RedisConnection;
  database: Database;
  ledger: Ledger;
  claims: ClaimQueue;
  admission: Admission;
  /** A coupon that is open, and whose issued coupons are valid for thirty days. */
  seed(couponId: string, total: number): Promise<void>;
}

export async function ownStores(): Promise<OwnStores> {
  const host = testHost();
  const clone = fileURLToPath(new URL('../../', import.meta.url));
  await purgeOrphans(host, clone, 'perf');
  const dir = defaultStackDir(host, clone, `perf-${host.pid}`);
  const { redisUrl, databaseUrl } = await stackUp(host, { dir, log: (line) => console.error(line) });
  const connection = await openRedis({ url: redisUrl, reconnect: true });
  const database = new Database(databaseUrl);
  await migrate(database);
  const ledger: Ledger = postgresLedger(database);
  const coupons = redisCoupons(connection, 'plain');
  return {
    redisUrl,
    databaseUrl,
    redis: connection.client,
    connection,
    database,
    ledger,
    claims: redisClaims(connection, 'plain'),
    admission: redisAdmission(connection, 'plain'),
    async seed(id, total) {
      const expiry = { kind: 'after', ms: VALID_FOR_MS } as const;
      const definition = { id, name: id, total, opensAt: null, closesAt: null, expiry };
      await seed(definition, { ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      await database.close();
      await stackDown(host, { dir, purge: true });
    },
  };
}
