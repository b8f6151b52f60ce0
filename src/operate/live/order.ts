import type { LiveCoupon } from './view.ts';

/** The states in which nothing happens any more. */
const OVER = new Set(['sold_out', 'ended', 'closed']);

/** What needs a person first, then what moves, what is yet to come, and what is over; by id within, so that rows stay where they are. */
export function inOrder(coupons: readonly LiveCoupon[], troubled: ReadonlySet<string>): LiveCoupon[] {
  const rank = (coupon: LiveCoupon): number => {
    if (troubled.has(coupon.couponId)) return 0;
    if ((coupon.waiting ?? 0) + (coupon.claimed ?? 0) > 0 || coupon.state === 'open') return 1;
    return OVER.has(coupon.state) ? 3 : 2;
  };
  return coupons.toSorted((a, b) => rank(a) - rank(b) || (a.couponId < b.couponId ? -1 : 1));
}

/** @param states empty: all */
export function ofStates(coupons: readonly LiveCoupon[], states: readonly string[]): readonly LiveCoupon[] {
  return states.length === 0 ? coupons : coupons.filter(({ state }) => states.includes(state));
}
