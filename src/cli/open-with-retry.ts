import { gaveUp, isOutage } from '../lib/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { durationFlag, parseDurationUpTo } from '../lib/duration.ts';
import { retry } from '../lib/retry.ts';
import { visible } from '../lib/text/visible.ts';
import type { Context } from './context.ts';

const RETRY_MS = 500;
/** Timers cannot wait longer: 2^31 ms. */
const LONGEST_MS = 24 * 86_400_000;

/** The option of every command that may be started before its stores. */
export const WAIT_FOR_STORES = '--wait-for-stores <duration>';

/**
 * How long stores may be away.
 *
 * @throws CouponError `BAD_DURATION`
 */
export function parsePatience(text: string): number {
  return parseDurationUpTo(LONGEST_MS, text, '--wait-for-stores');
}

/**
 * Opens stores that may not be there yet, as when everything starts together. Null: stopped by a signal meanwhile.
 *
 * @throws CouponError of kind `unreachable` when patience runs out; anything else at once
 */
export async function openWithRetry<T>(context: Context, patienceMs: number, stop: AbortSignal, open: () => Promise<T>): Promise<T | null> {
  if (stop.aborted) return null;
  const failed = (error: unknown, count: number): void => {
    if (count === 0) context.out.warn(`${visible((error as Error).message)}; trying again`);
  };
  try {
    return await retry(open, { retries: isOutage, delayMs: () => RETRY_MS, patienceMs, stop, failed }, systemClock);
  } catch (error) {
    if (!isOutage(error)) throw error;
    if (stop.aborted) return null;
    throw patienceMs > 0 ? gaveUp(error, durationFlag(patienceMs)) : error;
  }
}
