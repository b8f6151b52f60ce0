import type { LiveCoupon } from './live-view.ts';

/** The states in which nothing happens any more. */
const OVER = new Set(['sold_out', 'ended', 'closed']);

/**
 * What needs a person first, then what moves, what is open, what is yet to come, and what is over; by id within. Rates are those of ten
 * seconds, so rows do not change places with every user who comes.
 */
export function inOrder(coupons: readonly LiveCoupon[], troubled: ReadonlySet<string>): LiveCoupon[] {
  const rank = (coupon: LiveCoupon): number => {
    if (troubled.has(coupon.couponId)) return 0;
    const { waiting, claimed, acceptedPerSecond, issuedPerSecond, state } = coupon;
    if ([waiting, claimed, acceptedPerSecond, issuedPerSecond].some((figure) => (figure ?? 0) > 0)) return 1;
    if (state === 'open') return 2;
    return OVER.has(state) ? 4 : 3;
  };
  return coupons.toSorted((a, b) => rank(a) - rank(b) || (a.couponId < b.couponId ? -1 : 1));
}

/** @param states empty: all */
export function ofStates(coupons: readonly LiveCoupon[], states: readonly string[]): readonly LiveCoupon[] {
  return states.length === 0 ? coupons : coupons.filter(({ state }) => states.includes(state));
}
