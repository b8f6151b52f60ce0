import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { HarmlessFault } from '../fault.ts';
import { deadlock } from './deadlock.ts';
import { occupy } from './occupied.ts';
import { seedOwnCoupon } from './own-coupon.ts';

/** What befalls PostgreSQL, without loss: it ends, or its sessions do, or it takes transactions back. */
export const postgresFaults: readonly HarmlessFault[] = [
  {
    kind: 'postgres-kill',
    meaning: 'kill -9 of the postmaster, started again on the same data once its backends are gone',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ postgres }, random) {
      await postgres.kill();
      await delay(random.int(0, 1_000));
      await postgres.start();
    },
  },
  {
    kind: 'postgres-backends',
    meaning: 'pg_terminate_backend of all sessions of the program, several times in a row',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ sql }, random) {
      for (let left = random.int(3, 6); left > 0; left -= 1) {
        await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'coupon-cli%'");
        await delay(random.int(50, 400));
      }
    },
  },
  {
    kind: 'too-many-clients',
    meaning: 'others take every connection of PostgreSQL (max_connections), and the sessions of the program are ended',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ postgres, sql }, random) {
      const most = Number((await sql('SHOW max_connections'))[0]!['max_connections']);
      await using others = await occupy(postgres.url, most, 'SELECT');
      await until(() => others.size > most / 2);
      // What a session of the program leaves, one of the others takes, most of the time.
      for (let left = random.int(10, 30); left > 0; left -= 1) {
        await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'coupon-cli%'");
        await delay(100);
      }
    },
  },
  deadlock,
  {
    kind: 'serialization',
    meaning: 'PostgreSQL refuses two of three inserts into the ledger as what it cannot serialize (40001; by a trigger), for a while',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict(rig, random) {
      const { sql } = rig;
      const { submit } = await seedOwnCoupon(rig, random);
      // A sequence goes on counting when its transaction is rolled back.
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
      await submit();
      await delay(random.int(500, 2_000));
      await until(async () => (await sql('SELECT is_called FROM fault_inserts'))[0]!['is_called'] === true);
      await sql('DROP TRIGGER fault_refuse ON issued_coupons; DROP FUNCTION fault_refuse; DROP SEQUENCE fault_inserts');
    },
  },
];
