import { setTimeout as delay } from 'node:timers/promises';
import type { HarmlessFault } from '../fault.ts';

const HOUR_MS = 3_600_000;

export const clockFaults: readonly HarmlessFault[] = [
  {
    kind: 'clock-jump',
    meaning: 'the clock of Redis jumps an hour forward, or two hours back, and later to the right time again',
    on: 'plain',
    harmless: true,
    unavailable: ({ redis }) => redis.withoutShims,
    async inflict({ redis }, random) {
      redis.jumpClock(random.pick([HOUR_MS, -2 * HOUR_MS]));
      await delay(random.int(1_000, 2_500));
      redis.jumpClock(0);
    },
  },
];
