import { setTimeout as delay } from 'node:timers/promises';
import type { DestructiveFault } from '../fault.ts';
import { perhapsHoldWorkers } from './workers.ts';

/** A store is as it was some time ago, or empty. */
export const rollbackFaults: readonly DestructiveFault[] = [
  {
    kind: 'older-aof',
    meaning: 'Redis starts on a copy of its files that was made some seconds before',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare(rig, random) {
      const { redis } = rig;
      await redis.snapshot();
      const resume = perhapsHoldWorkers(rig, random);
      await delay(random.int(1_500, 3_000));
      return async () => {
        await redis.kill();
        await redis.restore();
        await redis.start();
        resume();
      };
    },
  },
  {
    kind: 'flushall',
    meaning: 'FLUSHALL in the middle of the campaign',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare(rig, random) {
      const resume = perhapsHoldWorkers(rig, random);
      await delay(random.int(500, 1_500));
      return async () => {
        await rig.redis.admin.flushall();
        resume();
      };
    },
  },
  {
    kind: 'flushdb-repair',
    meaning: 'FLUSHDB while nothing drains; `audit --repair` says how many may be missing, and --reopen decides',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare(rig, random) {
      for (const worker of rig.drains) worker.pause();
      await delay(random.int(500, 1_500));
      return async () => {
        await rig.redis.admin.flushdb();
        for (const worker of rig.drains) worker.resume();
      };
    },
  },
  {
    kind: 'replica-promoted',
    meaning: 'a replica whose link has hung for some seconds takes the place of Redis, which is killed',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare(rig, random) {
      const replica = await rig.redis.startReplica();
      replica.freeze();
      const resume = perhapsHoldWorkers(rig, random);
      await delay(random.int(1_500, 3_000));
      return async () => {
        await replica.promote();
        resume();
      };
    },
  },
  {
    kind: 'older-postgres-backup',
    meaning: 'PostgreSQL starts on a backup that was made some seconds before',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare({ postgres }, random) {
      await postgres.backup();
      await delay(random.int(1_500, 3_000));
      return async () => await postgres.restoreBackup();
    },
  },
];
