/**
 * Whether a coupon may be served by the Redis that runs now.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { LedgerCoupon } from './ledger.ts';

/** `acked`: the highest fence that the ledger is known to have reached, see `campaign/verify-coupon.ts`. */
export type VerifyResult = { status: 'ok'; acked: number } | { status: 'gone' } | { status: 'suspect'; reason: string };

/** Marks a coupon as checked against the ledger for the server that now runs, or as suspect. */
export interface Verification {
  verify(couponId: string, ledger: Pick<LedgerCoupon, 'epoch' | 'maxFence' | 'version'>): Promise<VerifyResult>;
  /**
   * Puts a coupon back into service whose hash a service that shares it has written anew. `false`: that is not what happened, or its stock
   * cannot be right.
   *
   * @param latestUs latest request time in the ledger, microseconds
   */
  takeBack(coupon: LedgerCoupon, latestUs: number): Promise<boolean>;
  markSuspect(couponId: string, epoch: string, reason: string): Promise<void>;
}
