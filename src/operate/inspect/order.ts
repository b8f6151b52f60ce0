/** What an order of coupons depends on. A rate that is left out was not measured. */
export interface Ranked {
  couponId: string;
  state: string;
  waiting: number | null;
  claimed: number | null;
  acceptedPerSecond?: number | null;
  issuedPerSecond?: number | null;
}

/** The states in which nothing happens any more. */
const OVER = new Set(['sold_out', 'ended', 'closed']);

/**
 * What needs a person first, then what moves, what is open, what is yet to come, and what is over; by id within. Rates are those of ten
 * seconds, so rows do not change places with every user who comes.
 */
export function inOrder<C extends Ranked>(coupons: readonly C[], troubled: ReadonlySet<string>): C[] {
  const rank = (coupon: C): number => {
    if (troubled.has(coupon.couponId)) return 0;
    const { waiting, claimed, acceptedPerSecond, issuedPerSecond, state } = coupon;
    if ([waiting, claimed, acceptedPerSecond, issuedPerSecond].some((figure) => (figure ?? 0) > 0)) return 1;
    if (state === 'open') return 2;
    return OVER.has(state) ? 4 : 3;
  };
  return coupons.toSorted((a, b) => rank(a) - rank(b) || (a.couponId < b.couponId ? -1 : 1));
}

/** The coupons that need a person. Dead users alone do not: the campaign goes on. */
export function troubledOf(warnings: readonly { couponId: string | null; code: string }[]): Set<string> {
  return new Set(warnings.flatMap(({ couponId, code }) => (couponId !== null && code !== 'dead' ? [couponId] : [])));
}

/** @param states empty: all */
export function ofStates<C extends { state: string }>(coupons: readonly C[], states: readonly string[]): readonly C[] {
  return states.length === 0 ? coupons : coupons.filter(({ state }) => states.includes(state));
}
