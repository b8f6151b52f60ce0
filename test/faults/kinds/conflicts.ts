import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../../support/until.ts';
import type { HarmlessFault, Rig } from '../fault.ts';

/** Errors of SQLSTATE class 40: PostgreSQL takes a transaction back, and asks for it again. */
export const conflictFaults: readonly HarmlessFault[] = [
  {
    kind: 'deadlock',
    meaning: 'a foreign session and a worker each hold what the other wants; PostgreSQL ends one of the two (40P01)',
    harmless: true,
    unavailable: () => null,
    async inflict(rig, random) {
      // Whoever looks for a circle after 100 ms of waiting (deadlock_timeout) and finds one is the victim. The worker looks while it waits
      // for our rows; when we come late it has looked already, and it is for us to find it.
      const late = random.pick([0, 300]);
      const client = new pg.Client({ connectionString: rig.postgres.url, application_name: 'fault suite' });
      await client.connect();
      try {
        await client.query('BEGIN');
        await holdRows(client, rig);
        await delay(late);
        await client.query('SELECT 1 FROM coupons WHERE id = $1 FOR NO KEY UPDATE', [rig.couponId]);
      } catch (error) {
        if ((error as pg.DatabaseError).code !== '40P01') throw error;
      } finally {
        await client.query('ROLLBACK');
        await client.end();
      }
    },
  },
  {
    kind: 'serialization',
    meaning: 'a trigger refuses two of three inserts into the ledger as PostgreSQL refuses what it cannot serialize (40001)',
    harmless: true,
    unavailable: () => null,
    async inflict({ sql }, random) {
      // A sequence counts on when its transaction is rolled back.
      await sql(`
        CREATE SEQUENCE fault_inserts;
        CREATE FUNCTION fault_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF nextval('fault_inserts') % 3 <> 0 THEN
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
          END IF;
          RETURN NULL;
        END $$;
        CREATE TRIGGER fault_refuse BEFORE INSERT ON issued_coupons FOR EACH STATEMENT EXECUTE FUNCTION fault_refuse()`);
      await delay(random.int(500, 2_000));
      await until(async () => (await sql('SELECT is_called FROM fault_inserts'))[0]!['is_called'] === true);
      await sql('DROP TRIGGER fault_refuse ON issued_coupons; DROP FUNCTION fault_refuse; DROP SEQUENCE fault_inserts');
    },
  },
];

/** Inserts, uncommitted, rows of users who wait for theirs, until a worker that holds the coupon's row waits for us. */
async function holdRows(client: pg.Client, { couponId, reader, sql }: Rig): Promise<void> {
  await until(async () => {
    const users = (await reader.queue(couponId, 0, 100)).map((entry) => entry.userId);
    // In the order in which the program inserts. Who was issued meanwhile is left out: nobody would come to wait for that row.
    const { rowCount } = await client.query(
      `INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
       SELECT $1, user_id, now(), 0, 'fault suite', 0, 0 FROM unnest($2::text[]) AS user_id ORDER BY user_id COLLATE "C"
       ON CONFLICT DO NOTHING`,
      [couponId, users],
    );
    return rowCount !== null && rowCount > 0;
  });
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await until(async () => {
    const [found] = await sql('SELECT count(*)::integer AS waiting FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))', [
      rows[0]!.pid,
    ]);
    return Number(found!['waiting']) > 0;
  });
}
