/** What the endpoint asks Redis beside admission itself. Every method may throw a CouponError of kind `unreachable`. */

/** The answer of Redis to a user without an admission, and the figures that change when it gets more users. */
export interface Refusal {
  /** Null: it would accept them, or cannot say. */
  outcome: 'sold_out' | 'not_open' | 'not_yet_open' | 'closed' | null;
  /** As in `AdmissionAnswer`. */
  atMs?: number;
  /** Milliseconds until requests are taken; null: no time is set, or it is past. */
  opensInMs: number | null;
  /** Life of the coupon. */
  epoch: string;
  /** Request time of the last accepted user, as text. */
  lastUs: string;
  /** How many were ever accepted, and how many wait. */
  admitted: number;
  waiting: number;
}

export interface Refusals {
  refusal(couponId: string): Promise<Refusal>;
  /** Every user that was accepted or waits, in chunks; some twice. */
  knownUsers(couponId: string): AsyncIterable<readonly string[]>;
}
