import { parseDuration } from '../../../lib/duration.ts';
import { usageError } from '../../../lib/errors.ts';
import { liveReadings } from '../../../operate/live/reading.ts';
import { ofStates } from '../../../operate/inspect/order.ts';
import type { LiveView } from '../../../operate/live/live-view.ts';
import { nextView, NO_MEMORY } from '../../../operate/live/view.ts';
import type { Context } from '../../context.ts';
import { openWithRights } from '../../rights.ts';

export interface LiveFlags {
  interval?: string | undefined;
  state?: string | undefined;
}

/** The history holds sixty looks, and a drain that stands still shows in fifteen seconds of them. */
const SHORTEST_MS = 250;

/** @throws CouponError `BAD_DURATION` */
export function intervalOf({ interval = '1s' }: LiveFlags): number {
  const ms = parseDuration(interval, '--interval');
  if (ms >= SHORTEST_MS) return ms;
  throw usageError('BAD_DURATION', `--interval: "${interval}" is too short`, `Use at least ${SHORTEST_MS}ms.`);
}

/**
 * Opens both stores and returns how to look at all campaigns once more. A store that goes away later is part of the view.
 *
 * @throws CouponError as `openWithRights`, also when a store is away at the start
 */
export async function openLook(context: Context, use: 'top' | 'dashboard'): Promise<() => Promise<LiveView>> {
  const { redis, ledger } = await openWithRights(context, { use, couponIds: [], reconnect: true });
  const { reader, keyStyle } = redis;
  const read = liveReadings({ reader, ledger, keyStyle }, { wallMs: Date.now, clockMs: () => performance.now() });
  let memory = NO_MEMORY;
  return async () => {
    const next = nextView(memory, await read(), keyStyle);
    memory = next.memory;
    return next.view;
  };
}

/** With the coupons of these states alone. */
export function filtered(view: LiveView, states: readonly string[]): LiveView {
  return { ...view, coupons: [...ofStates(view.coupons, states)] };
}
