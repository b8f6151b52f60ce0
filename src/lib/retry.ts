import type { Clock } from './clock.ts';

export interface RetryPolicy {
  /** Whether this failure may pass by itself. */
  retries: (error: unknown) => boolean;
  /** Milliseconds before the nth retry, from 0; null: there is none. */
  delayMs: (retry: number) => number | null;
  /** Milliseconds from the first failure, after which no retry begins. */
  patienceMs: number;
  stop?: AbortSignal;
  /** Called before each retry, from 0. */
  failed?: (error: unknown, retry: number) => void;
}

/**
 * What `work` resolves to, at the latest try that the policy allows.
 *
 * @throws what the last try threw; also when `stop` was aborted before another one
 */
export async function retry<T>(work: () => Promise<T>, policy: RetryPolicy, clock: Clock): Promise<T> {
  let endMs: number | null = null;
  for (let count = 0; ; count++) {
    try {
      return await work();
    } catch (error) {
      if (!policy.retries(error) || policy.stop?.aborted) throw error;
      endMs ??= clock.now() + policy.patienceMs;
      const [left, delay] = [endMs - clock.now(), policy.delayMs(count)];
      if (left <= 0 || delay === null) throw error;
      policy.failed?.(error, count);
      await clock.sleep(Math.min(left, delay), policy.stop);
      if (policy.stop?.aborted) throw error;
    }
  }
}
