import { setTimeout as delay } from 'node:timers/promises';
import type { HarmlessFault } from '../fault.ts';

/** PostgreSQL itself, without loss: ended, or its sessions. */
export const postgresFaults: readonly HarmlessFault[] = [
  {
    kind: 'postgres-kill',
    meaning: 'kill -9 of the postmaster, started again on the same data once its backends are gone',
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
    harmless: true,
    unavailable: () => null,
    async inflict({ sql }, random) {
      for (let left = random.int(3, 6); left > 0; left -= 1) {
        await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'coupon-cli%'");
        await delay(random.int(50, 400));
      }
    },
  },
];
