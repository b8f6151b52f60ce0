import { setTimeout as delay } from 'node:timers/promises';
import { PGBOUNCER } from '../../support/pgbouncer.ts';
import type { HarmlessFault } from '../fault.ts';
import { occupy } from './occupied.ts';

const unavailable = (): string | null => (PGBOUNCER === null ? 'there is no PgBouncer' : null);

/** What befalls a pooler, or who waits for it. */
export const poolerFaults: readonly HarmlessFault<'pooler'>[] = [
  {
    kind: 'pooler-kill',
    meaning: 'kill -9 of PgBouncer (transaction mode) between the program and PostgreSQL; started again',
    on: 'pooler',
    harmless: true,
    unavailable,
    async inflict({ pooler }, random) {
      await pooler.kill();
      await delay(random.int(0, 1_000));
      await pooler.start();
    },
  },
  {
    kind: 'pool-exhausted',
    meaning: 'others hold every connection of PgBouncer for longer than it lets a client wait',
    on: 'pooler',
    harmless: true,
    unavailable,
    async inflict({ pooler }, random) {
      await using others = await occupy(pooler.url, pooler.poolSize, 'BEGIN');
      await others.complete();
      await delay(pooler.waits * 1_000 + random.int(200, 1_500));
    },
  },
];
