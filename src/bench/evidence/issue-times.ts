import type { UserDirectory } from '../plan/user-plan.ts';
import { stepOf } from './issued-row.ts';

/** When the coupons of a run were issued, in no order, by the clock of the list that says so. */
export interface IssueTimes {
  user: Uint32Array;
  /** Microseconds since 1970. */
  us: Float64Array;
  /** How coarse they are, microseconds. */
  stepUs: number;
  /** Issued coupons of the run for which the list has no time. */
  untimed: number;
}

/**
 * @param us microseconds since 1970 of a row, NaN where it does not say
 * @param before users who had their coupon before the run: they are left out
 * @param stepUs left out: as coarse as the times look
 */
export function issueTimes<Row extends { userId: string }>(
  rows: readonly Row[],
  us: (row: Row) => number,
  before: Iterable<number>,
  users: UserDirectory,
  stepUs?: number,
): IssueTimes {
  const earlier = new Set(before);
  const own = earlier.size === 0 ? rows : rows.filter((row) => !earlier.has(users.numberOf(row.userId)));
  const timed = own.filter((row) => !Number.isNaN(us(row)));
  const times = Float64Array.from(timed, us);
  return {
    user: Uint32Array.from(timed, (row) => users.numberOf(row.userId)),
    us: times,
    stepUs: stepUs ?? stepOf(times),
    untimed: own.length - timed.length,
  };
}
