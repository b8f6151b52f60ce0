import type { CouponPass } from './coupon-pass.ts';
import { HOLD_MS } from './lanes.ts';

/** Leaves coupons alone for a while of which the ledger takes no user, or that another worker drains, longer each time. */
export interface CouponRest {
  /** What is to be said of a coupon that still rests; null: it may be tried. */
  of(couponId: string): CouponPass | null;
  /** Learns what came of a coupon. */
  learn(pass: CouponPass): void;
}

/** `busy` may be over in a moment, as an outage may. */
const LONGEST_REST_MS = { refused: 60_000, busy: 5_000, held: HOLD_MS };

/** @param now milliseconds, monotonic */
export function couponRest(intervalMs: number, now: () => number): CouponRest {
  const resting = new Map<string, { pass: CouponPass; times: number; untilMs: number }>();
  const firstMs = Math.max(intervalMs, 100);
  return {
    of(couponId) {
      const rest = resting.get(couponId);
      return rest && now() < rest.untilMs ? rest.pass : null;
    },
    learn(pass) {
      const before = resting.get(pass.couponId);
      if (before?.pass === pass) return;
      const cause = pass.heldBy === undefined ? pass.skipped : 'held';
      if (cause !== 'refused' && cause !== 'busy' && cause !== 'held') {
        resting.delete(pass.couponId);
        return;
      }
      const times = (before?.times ?? 0) + 1;
      const untilMs = now() + Math.min(LONGEST_REST_MS[cause], firstMs * 2 ** Math.min(times - 1, 20));
      // What was done is told once; while it rests nothing is done.
      const { refused: _told, ...rest } = pass;
      resting.set(pass.couponId, { pass: { ...rest, issued: 0, reclaimed: 0, dead: 0, released: 0 }, times, untilMs });
    },
  };
}
