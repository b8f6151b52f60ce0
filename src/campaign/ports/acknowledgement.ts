/**
 * Makes in Redis what the ledger holds.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { Claim, IssuedCoupon } from '../coupon.ts';
import type { WrongType } from '../wrong-type.ts';

/** A ledger row, and the claim that it came from. */
export type AckRow = IssuedCoupon & Pick<Claim, 'fence'>;

export interface Acknowledgement {
  /**
   * `epoch`: the coupon has another one now; `ended`: the claim was, because a user was forgotten since. Nothing was written then.
   */
  ack(couponId: string, epoch: string, rows: readonly AckRow[], by?: AckOptions): Promise<'ok' | 'epoch' | 'ended'>;
}

export interface AckOptions {
  /** The lowest claim of a worker that acknowledges what it remembers. Left out: the rows were just read. */
  fence?: number;
  /** Called with each issued key that holds another type: its hash was not written, the claim was given up. */
  occupied?: (wrong: WrongType) => void;
}
