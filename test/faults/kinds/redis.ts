import { setTimeout as delay } from 'node:timers/promises';
import type { HarmlessFault } from '../fault.ts';

/** Redis itself, without loss: ended, short of memory, or without its scripts. */
export const redisFaults: readonly HarmlessFault[] = [
  {
    kind: 'redis-kill',
    meaning: 'kill -9 of Redis, started again on the same data',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ redis }, random) {
      await redis.kill();
      await delay(random.int(0, 1_000));
      await redis.start();
    },
  },
  {
    kind: 'redis-maxmemory',
    meaning: 'Redis at its memory limit (noeviction) for a second or two',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ redis }, random) {
      const [, before] = (await redis.admin.config('GET', 'maxmemory')) as [string, string];
      const used = Number(/used_memory:(\d+)/.exec(await redis.admin.info('memory'))?.[1]);
      await redis.admin.config('SET', 'maxmemory', Math.floor(used * 0.99));
      await delay(random.int(1_000, 2_000));
      await redis.admin.config('SET', 'maxmemory', before);
    },
  },
  {
    kind: 'script-flush',
    meaning: 'SCRIPT FLUSH, several times in a row',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict({ redis }, random) {
      for (let left = random.int(3, 8); left > 0; left -= 1) {
        await (random.next() < 0.5 ? redis.admin.script('FLUSH', 'SYNC') : redis.admin.script('FLUSH', 'ASYNC'));
        await delay(random.int(10, 200));
      }
    },
  },
];
