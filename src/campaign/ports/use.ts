/**
 * Marks an issued coupon as used.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */

export type UseResult =
  | { status: 'used'; usedAt: Date; repeated: boolean }
  | { status: 'not_issued' }
  | { status: 'already_used'; usedAt: Date }
  | { status: 'expired'; expiresAt: Date }
  | { status: 'revoked'; revokedAt: Date };

/** The ledger decides. */
export interface UseLedger {
  use(couponId: string, userId: string, useId: string): Promise<UseResult>;
}

/** Redis follows. */
export interface UseHashes {
  /** False: there is no issued hash for this user. */
  use(couponId: string, userId: string, usedAt: Date): Promise<boolean>;
}
