import { usageError } from '../lib/errors.ts';
import { suggestion } from '../lib/text/suggest.ts';

/**
 * How `serve` decides on a request.
 *
 * - `atomic`       ours: one script in Redis, issued later by the drain
 * - `three-calls`  three separate commands: EXISTS, HINCRBY, ZADD NX, one after the other; it over-promises
 * - `rdb-lock`     what there was before Redis: one transaction on a locked row; right, and slow
 *
 * The last two are there to be measured against, see `baselines/`.
 */
export const STRATEGIES = ['atomic', 'three-calls', 'rdb-lock'] as const;

export type Strategy = (typeof STRATEGIES)[number];

/**
 * Names separated by commas, or `all`; each once, in the order given (`all`: as time went on).
 *
 * @throws CouponError `BAD_STRATEGY`
 */
export function parseStrategies(text: string): Strategy[] {
  if (text === 'all') return ['rdb-lock', 'three-calls', 'atomic'];
  return [...new Set(text.split(',').map((name) => parseStrategy(name.trim())))];
}

/** @throws CouponError `BAD_STRATEGY` */
export function parseStrategy(text: string): Strategy {
  const strategy = STRATEGIES.find((known) => known === text);
  if (strategy) return strategy;
  throw usageError('BAD_STRATEGY', `"${text}" is not a strategy${suggestion(text, STRATEGIES)}`, `Use one of ${STRATEGIES.join(', ')}.`);
}
