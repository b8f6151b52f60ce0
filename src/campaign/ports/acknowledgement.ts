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
   * False: the coupon has another epoch now, nothing was written.
   *
   * @param occupied called with each issued key that holds another type: its hash was not written, the claim was given up
   */
  ack(couponId: string, epoch: string, rows: readonly AckRow[], occupied?: (wrong: WrongType) => void): Promise<boolean>;
}
