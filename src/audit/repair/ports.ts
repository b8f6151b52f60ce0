/** What a repair writes, beside what the other ports offer. All of it may be repeated; nothing is written for another epoch. */
import type { AuditPorts } from '../reads.ts';
import type { ClaimQueue, CouponStore, LedgerCoupon, LedgerRow, Verification } from '../../campaign/ports.ts';

export interface RedisRepairs {
  /** `foreign`: another life of the coupon stands there. */
  rebuild(coupon: LedgerCoupon): Promise<'created' | 'exists' | 'foreign'>;
  /** @param requestedUs microseconds in the ledger; null: no row */
  adopt(couponId: string, epoch: string, users: readonly { userId: string; requestedUs: number | null }[]): Promise<number>;
  requeue(couponId: string, epoch: string, userIds: readonly string[]): Promise<number>;
  /** @param users rows, and `used_at` as each hash had it when it was looked at */
  rehash(couponId: string, epoch: string, users: readonly { row: LedgerRow; seenUsedAt: string }[]): Promise<number>;
  /** @param userIds who asked last first; nobody, to ask for the excess */
  overpromise(couponId: string, epoch: string, userIds: readonly string[]): Promise<{ moved: number; excess: number }>;
  /** @param lastUs latest request time in the ledger, microseconds */
  restore(coupon: LedgerCoupon, lastUs: number): Promise<{ status: 'ok'; stock: number } | { status: 'epoch' | 'excess' }>;
}

/** A row that an issued hash proves. */
export interface ProvenRow {
  userId: string;
  requestedUs: number;
  issuedAt: Date;
  expiresAt: Date | null;
  usedAt: Date | null;
  fence: number;
  deliveries: number;
}

export interface LedgerRepairs {
  /** `guarded`: they would pass the total, so none of them was written. */
  restoreRows(couponId: string, epoch: string, rows: readonly ProvenRow[]): Promise<'ok' | 'epoch' | 'guarded'>;
  recordUses(couponId: string, uses: readonly { userId: string; usedAt: Date }[]): Promise<void>;
  /** @param fence claim number that the ledger must have reached; `guarded`: there are more rows than the total */
  recount(couponId: string, epoch: string, fence: number): Promise<'ok' | 'epoch' | 'guarded'>;
  /** Microseconds; 0: no rows. */
  latestRequestUs(couponId: string): Promise<number>;
}

export interface RepairPorts extends AuditPorts {
  claims: Pick<ClaimQueue, 'ack'>;
  coupons: Pick<CouponStore, 'index' | 'retire' | 'drop'> & Verification;
  redis: RedisRepairs;
  repairs: LedgerRepairs;
  now(): Date;
}
