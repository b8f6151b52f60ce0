import { setTimeout as delay } from 'node:timers/promises';
import { isOutage } from '../drain/pass.ts';
import { visible } from '../lib/visible.ts';
import type { Context } from './context.ts';

const RETRY_MS = 500;

/**
 * Opens stores that may not be there yet, as when everything starts together. Null: stopped by a signal meanwhile.
 *
 * @throws CouponError of kind `unreachable` when patience runs out; anything else at once
 */
export async function openPatiently<T>(context: Context, patienceMs: number, stop: AbortSignal, open: () => Promise<T>): Promise<T | null> {
  const started = performance.now();
  let told = false;
  while (!stop.aborted) {
    try {
      return await open();
    } catch (error) {
      if (!isOutage(error) || performance.now() - started >= patienceMs) throw error;
      if (!told) context.out.warn(`${visible((error as Error).message)}; trying again`);
      told = true;
      await delay(RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return null;
}
