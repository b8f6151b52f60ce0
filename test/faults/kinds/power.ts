import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { perhapsHoldWorkers } from './workers.ts';

/** Longer than any campaign. */
const NEVER_MS = 24 * 3_600_000;

/** The end of the AOF is gone. */
export const powerFaults: readonly Fault[] = [
  {
    kind: 'power-loss',
    meaning: 'kill -9 of Redis, and of its files only what was synced is left, under appendfsync always',
    on: 'plain',
    harmless: true,
    unavailable: ({ redis }) => redis.withoutShims,
    async inflict({ redis }, random) {
      redis.setFsyncDelay(random.int(20, 100)); // so that something is under way
      await delay(random.int(200, 600));
      await redis.kill();
      redis.setFsyncDelay(0);
      redis.loseUnsynced();
      await delay(random.int(0, 500));
      await redis.start();
    },
  },
  {
    kind: 'power-loss-everysec',
    meaning: 'the same under appendfsync everysec and with a disk that does not keep up',
    on: 'plain',
    harmless: false,
    unavailable: ({ redis }) => redis.withoutShims,
    async prepare(rig, random) {
      const { redis } = rig;
      await redis.holdRewrites(); // a file that is not the last one must not end early: Redis would not start
      await redis.admin.config('SET', 'appendfsync', 'everysec');
      redis.setFsyncDelay(NEVER_MS);
      const resume = perhapsHoldWorkers(rig, random);
      await delay(random.int(1_500, 3_000));
      return async () => {
        await redis.kill();
        redis.setFsyncDelay(0);
        redis.loseUnsynced();
        await redis.start();
        resume();
      };
    },
  },
  {
    kind: 'aof-tail-cut',
    meaning: 'kill -9 of Redis, and up to 20 kB are cut off its AOF; it starts without them (aof-load-truncated)',
    on: 'plain',
    harmless: false,
    unavailable: () => null,
    async prepare(rig, random) {
      const { redis } = rig;
      const resume = perhapsHoldWorkers(rig, random);
      await delay(random.int(500, 1_500));
      const bytes = random.int(500, 20_000);
      return async () => {
        await redis.kill();
        redis.cutTail(bytes);
        await redis.start();
        resume();
      };
    },
  },
];
