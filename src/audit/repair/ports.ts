/** What a repair writes, beside what the other ports offer. All of it may be repeated; nothing is written for another epoch. */
import type { AuditPorts } from '../ports.ts';
import type { Acknowledgement } from '../../campaign/ports/acknowledgement.ts';
import type { RedisRecord } from './life.ts';
import type { LedgerCoupon, LedgerRow, ProvenRow } from '../../campaign/ports/ledger.ts';
import type { Verification } from '../../campaign/ports/verification.ts';

export interface RedisRepairs {
  /** Also where the coupon itself is gone. */
  record(couponId: string): Promise<RedisRecord>;
  /**
   * Makes the coupon anew, or gives it back to the ledger, out of service. No user is touched.
   *
   * @param found epoch that the hash was found with; `changed`: it has another one by now, and nothing was written
   * @param suspect why it is out of service
   */
  bind(coupon: LedgerCoupon, found: string, reached: Reached, suspect?: 'repair' | 'adopting'): Promise<'bound' | 'changed' | 'done'>;
  /** @param requestedUs microseconds in the ledger; null: no row */
  adopt(couponId: string, epoch: string, users: readonly { userId: string; requestedUs: number | null }[]): Promise<number>;
  requeue(couponId: string, epoch: string, userIds: readonly string[]): Promise<number>;
  /** @param users rows, and `used_at` as each hash had it when it was looked at */
  rehash(couponId: string, epoch: string, users: readonly { row: LedgerRow; seenUsedAt: string }[]): Promise<number>;
  /** @param userIds who asked last first; nobody, to ask for the excess */
  evictExcess(coupon: LedgerCoupon, userIds: readonly string[]): Promise<{ moved: number; excess: number }>;
  /** @param state what becomes of it; empty: it stays */
  restore(
    coupon: LedgerCoupon,
    lastUs: number,
    state: StateChange,
  ): Promise<{ status: 'ok'; stock: number } | { status: 'epoch' | 'excess' }>;
}

/** What counters of Redis must not fall below. */
export interface Reached {
  /** Claim number. */
  fence: number;
  /** Latest request time, microseconds. */
  lastUs: number;
}

export type StateChange = 'pause' | 'reopen' | '';

export interface LedgerRepairs {
  /** `guarded`: they would pass the total, so none of them was written. */
  restoreRows(couponId: string, epoch: string, rows: readonly ProvenRow[], by?: 'repair' | 'adopt'): Promise<'ok' | 'epoch' | 'guarded'>;
  recordRevocations(couponId: string, revocations: readonly { userId: string; revokedAt: Date }[]): Promise<void>;
  recordUses(couponId: string, uses: readonly { userId: string; usedAt: Date }[]): Promise<void>;
  /** @param fence that the ledger must have reached; `guarded`: there are more rows than the total */
  recount(couponId: string, epoch: string, fence: number): Promise<'ok' | 'epoch' | 'guarded'>;
  /** Epochs of this coupon that a reset has ended. */
  endedEpochs(couponId: string): Promise<ReadonlySet<string>>;
  /** Remembers how many accepted users may be missing; null: that is decided. */
  setMissing(couponId: string, epoch: string, users: number | null): Promise<void>;
  /** A `forget` was begun and not finished: some of a user is under the old id, and some under the tombstone. */
  isForgetting(couponId: string, epoch: string): Promise<boolean>;
}

/** The keys of a coupon as a whole. */
export interface CouponKeys {
  /** False: it was indexed already. */
  index(couponId: string): Promise<boolean>;
  /** Removes the issued hashes of everyone admitted, then all keys of the coupon, then its place in the index. */
  drop(couponId: string): Promise<void>;
}

export interface RepairPorts extends AuditPorts {
  claims: Acknowledgement;
  coupons: CouponKeys & Verification;
  redis: RedisRepairs;
  repairs: LedgerRepairs;
}
