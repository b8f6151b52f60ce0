/**
 * Marks an issued coupon as used.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */

export type UseResult =
  | { status: 'used'; usedAt: Date; repeated: boolean }
  | { status: 'not_issued' }
  /** The coupon was seeded with this one: its hash is not where the caller would write. */
  | { status: 'other_key_style'; keyStyle: string }
  | { status: 'already_used'; usedAt: Date }
  | { status: 'expired'; expiresAt: Date }
  | { status: 'revoked'; revokedAt: Date };

/** The ledger decides. */
export interface UseLedger {
  /** @param keyStyle of the caller */
  use(couponId: string, userId: string, useId: string, keyStyle: string): Promise<UseResult>;
}

/** Redis follows. */
export interface UseHashes {
  /** False: there is no issued hash for this user. */
  use(couponId: string, userId: string, usedAt: Date): Promise<boolean>;
}
