import pg from 'pg';
import { until } from '../../support/until.ts';
import type { HarmlessFault, Random, Rig } from '../fault.ts';
import { seedOwnCoupon } from './own-coupon.ts';

/**
 * Whoever has waited for its `deadlock_timeout` (100 ms for a worker) looks for a circle, once, and is the victim if there is one. So it
 * is a matter of time who it is: the worker, when the circle closes at once; or we, when the worker has looked already. There is no more
 * time than the worker's statement timeout, a third of its lease.
 */
const VICTIMS = [
  { delayMs: 0, lookAfterMs: 110 },
  { delayMs: 120, lookAfterMs: 10 },
];
/** A session that gets no processor for a tenth of a second comes too late. */
const TRIES = 5;
const COUNTED_MS = 2_000;
/** For a worker to come by. */
const PATIENCE_MS = 30_000;

export const deadlock: HarmlessFault = {
  kind: 'deadlock',
  meaning: 'a foreign session and a worker each hold what the other wants; PostgreSQL ends one of the two (40P01)',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict(rig, random) {
    for (let tries = 0; tries < TRIES; tries += 1) if (await embrace(rig, random)) return;
    throw new Error(`no deadlock came about in ${TRIES} tries`);
  },
};

/** Whether PostgreSQL found a deadlock. */
async function embrace(rig: Rig, random: Random): Promise<boolean> {
  const { delayMs, lookAfterMs } = random.pick(VICTIMS);
  const before = await deadlocks(rig);
  const { id, users, submit } = await seedOwnCoupon(rig, random);
  const client = await openSession(rig);
  try {
    await client.query(`SET statement_timeout = ${PATIENCE_MS}; SET deadlock_timeout = ${lookAfterMs}; BEGIN`);
    // Everyone's coupon, uncommitted: a worker that inserts them again has to wait for us, with the coupon's row locked.
    await client.query(
      `INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
       SELECT $1, user_id, now(), 0, 'fault suite', 0, 0 FROM unnest($2::text[]) AS user_id`,
      [id, users],
    );
    await submit();
    await client.query(closeCircle(id, delayMs));
  } catch (error) {
    if ((error as pg.DatabaseError).code === '40P01') return true;
    throw error;
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
  // The worker's session counts it when it ends, or after a second.
  return await until(async () => (await deadlocks(rig)) > before, COUNTED_MS).then(
    () => true,
    () => false,
  );
}

/** A session of our own in the rig's database. */
async function openSession({ postgres, sql }: Rig): Promise<pg.Client> {
  const address = new URL(postgres.url);
  const [row] = await sql('SELECT current_database() AS name');
  address.pathname = `/${String(row!['name'])}`;
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  return client;
}

/**
 * Waits until a worker waits for us, and then asks for the lock that it holds. In the server, and in one statement: on the way from here
 * to there and back, on a busy machine, the worker's time would run out.
 */
function closeCircle(couponId: string, delayMs: number): string {
  return `
    DO $$ BEGIN
      WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid) LOOP
        PERFORM pg_sleep(0.002);
      END LOOP;
      PERFORM pg_sleep(${delayMs / 1_000});
      PERFORM FROM coupons WHERE id = '${couponId}' FOR NO KEY UPDATE;
    END $$`;
}

async function deadlocks({ sql }: Rig): Promise<number> {
  const [row] = await sql('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()');
  return Number(row!['deadlocks']);
}
