import { setTimeout as timer } from 'node:timers/promises';

/** Time that only goes on. Tests give their own. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as `stop` is aborted; never rejects. */
  sleep(ms: number, stop?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => timer(ms, undefined, { signal }).catch(() => undefined),
};
