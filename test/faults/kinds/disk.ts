import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { HarmlessFault } from '../fault.ts';

/** More than the last page of a full disk can take. */
const TOO_MUCH = 'x'.repeat(16_384);

export const diskFaults: readonly HarmlessFault[] = [
  {
    kind: 'disk-full',
    meaning: 'no room for the AOF: under appendfsync always Redis ends before it answers; started again when there is room',
    on: 'plain',
    harmless: true,
    unavailable: ({ redis }) => (redis.smallDisk ? null : 'this user may not mount a small disk'),
    async inflict({ redis }, random) {
      redis.fillDisk();
      // The campaign may be at rest just now. The client sends this again when Redis is back; then the key is gone at once.
      const write = redis.admin.set('fault-suite', TOO_MUCH, 'PX', 1);
      await until(() => !redis.running);
      await delay(random.int(0, 500));
      redis.freeDisk();
      await redis.start();
      await write;
    },
  },
  {
    kind: 'slow-fsync',
    meaning: 'each fsync of Redis, PostgreSQL, or both takes 100 to 300 ms for a while',
    on: 'plain',
    harmless: true,
    unavailable: ({ redis, postgres }) => redis.withoutShims ?? postgres.withoutShims,
    async inflict({ redis, postgres }, random) {
      const ms = random.int(100, 300);
      const slow = random.pick([[redis], [postgres], [redis, postgres]]);
      for (const store of slow) store.setFsyncDelay(ms);
      await delay(random.int(1_500, 3_000));
      for (const store of slow) store.setFsyncDelay(0);
    },
  },
];
