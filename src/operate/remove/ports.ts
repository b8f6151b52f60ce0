/**
 * How users and campaigns leave the stores.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { Acknowledgement } from '../../campaign/ports/acknowledgement.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import type { RedisReader } from '../../campaign/ports/redis-reader.ts';
import type { Change, ChangeStore } from '../ports.ts';

/** The ledger's part of forgetting a user. */
export interface ForgetLedger {
  /**
   * Writes that it is under way.
   *
   * @throws CouponError `CHANGE_UNFINISHED`, `CHANGE_REFUSED` when the coupon is of another life by now
   */
  beginForget(
    opId: string,
    coupon: Pick<LedgerCoupon, 'id' | 'epoch'>,
    by: { userId: string; tombstone: string; byWhom: string },
  ): Promise<Change>;
  /** Of the claims below this number none issues any more; what they have written can be seen. */
  endClaims(coupon: Pick<LedgerCoupon, 'id' | 'epoch'>, minFence: number): Promise<void>;
  /** What {@link renameIssued} would do to the row, with nothing changed: constraints and triggers answer as they will. */
  tryRename(couponId: string, userId: string, tombstone: string): Promise<void>;
  /** In the row, and in the log of this coupon. */
  renameIssued(couponId: string, userId: string, tombstone: string): Promise<void>;
  /** In the log of all coupons. */
  redactLog(userId: string, tombstone: string): Promise<void>;
  /** The row of the operation says nothing any more of whom it was about. */
  finishForget(opId: string): Promise<void>;
}

/** Redis's part of it, in the key style of one coupon. */
export interface ForgetRedis extends Pick<ChangeStore, 'saleOf'>, Pick<RedisReader, 'users'>, Acknowledgement {
  /** What the words mean is in `forget.lua`. */
  forget(
    couponId: string,
    epoch: string,
    change: { userId: string; tombstone: string; step: 'clean' | { minFence: number } },
  ): Promise<'ok' | 'claimed' | 'gone' | 'epoch' | 'suspect'>;
}

/** The ledger's part of taking a coupon back from its user. */
export interface RevokeLedger {
  /**
   * Writes that it is under way, and revokes the row, in one transaction. Null: there was nothing to do.
   *
   * @throws CouponError `CHANGE_UNFINISHED`, `CHANGE_REFUSED` when the coupon is of another life by now
   */
  beginRevoke(
    opId: string,
    coupon: Pick<LedgerCoupon, 'id' | 'epoch'>,
    by: { userId: string; returnStock: boolean; byWhom: string; reason: string },
  ): Promise<Change | null>;
}

/** What exports leave in the ledger. */
export interface ExportLedger {
  /** Of the ledger, which its rows are written with. */
  now(): Promise<Date>;
  noteExport(
    opId: string,
    coupon: Pick<LedgerCoupon, 'id' | 'epoch'>,
    by: { rows: number; format: string; byWhom: string; begunAt: Date },
  ): Promise<void>;
}

/** The ledger's part of removing a coupon for good. */
export interface PurgeLedger {
  /** Whether some export of this life of the coupon has all of these rows. */
  isExported(coupon: Pick<LedgerCoupon, 'id' | 'epoch'>, rows: number): Promise<boolean>;
  /** The latest purge of a coupon of this id, finished or not. */
  findPurge(couponId: string): Promise<Change | null>;
  /**
   * Writes that it is under way, and gives the coupon a new epoch in state `resetting`, in one transaction: every worker and server of
   * the old one is shut out.
   *
   * @throws CouponError `CHANGE_UNFINISHED`, `CHANGE_REFUSED` when the coupon is of another life by now
   */
  beginPurge(
    opId: string,
    coupon: Pick<LedgerCoupon, 'id' | 'epoch'>,
    by: { epoch: string; rows: number; byWhom: string; reason: string | null },
  ): Promise<Change>;
  /** Removes the coupon, which has no rows any more, and says so in the log, in one transaction. */
  finishPurge(change: Change): Promise<void>;
}
