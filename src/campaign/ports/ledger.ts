/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { Claim, CouponDefinition } from '../coupon.ts';
import type { AckRow } from './claim-queue.ts';

/**
 * What a refusal of the ledger speaks of: the data of a `row`; the `statement` as a whole (schema, limits), though a trigger may raise it
 * for one row; or the `moment` (a conflict, a lock, a time limit).
 */
export type RefusalScope = 'row' | 'statement' | 'moment';

export type LedgerState = 'seeding' | 'ready' | 'resetting';

export interface LedgerCoupon extends CouponDefinition {
  issuedQuantity: number;
  maxFence: number;
  epoch: string;
  version: number;
  state: LedgerState;
  keyStyle: string;
  /** Accepted users who may be missing since Redis lost its records of them, at most; null: none. */
  mayBeMissing: number | null;
}

/**
 * What a batch turned into. `guarded`: the ledger refused because it would break `total` or the coupon is not there. `refused`: by
 * a row, or by none (see {@link RefusalScope}); the reason is one line and begins with the SQLSTATE. But for `ok` nothing was written.
 */
export type IssueResult =
  | { status: 'ok'; rows: AckRow[] }
  | { status: 'epoch' }
  | { status: 'guarded'; constraint: string }
  | { status: 'refused'; scope: RefusalScope; reason: string };

export interface IssueOptions {
  epoch: string;
  worker: string;
  /** Milliseconds; the lease bounds how long the ledger may take. */
  timeoutMs: number;
}

export type UseResult =
  | { status: 'used'; usedAt: Date; repeated: boolean }
  | { status: 'not_issued' }
  | { status: 'already_used'; usedAt: Date }
  | { status: 'expired'; expiresAt: Date }
  | { status: 'revoked'; revokedAt: Date };

/** A ledger row with what only operators look at. */
export interface LedgerRow extends AckRow {
  requestedUs: number;
  worker: string;
  deliveries: number;
}

/** A ledger row in short: the user's turn, and all that Redis must say too as one text. */
export interface LedgerBrief extends Pick<LedgerRow, 'userId' | 'requestedUs' | 'fence' | 'deliveries'> {
  text: string;
}

/** From one snapshot, read after Redis. */
export interface LedgerCounts {
  issuedQuantity: number;
  rows: number;
  maxFence: number;
}

/** The last word on who has a coupon. */
export interface Ledger {
  coupons(): Promise<LedgerCoupon[]>;
  coupon(couponId: string): Promise<LedgerCoupon | null>;
  /**
   * Writes these coupons, from the first row to the last state, and takes it all back: rights, constraints and triggers answer as
   * they will. Null: nothing was refused. Coupons that are there already are left alone.
   */
  trySeeding(
    definitions: readonly CouponDefinition[],
    epoch: string,
    keyStyle: string,
  ): Promise<{ couponId: string | null; error: Error } | null>;
  /** The row as it stands afterwards: the new one, in state `seeding`, or the one that was there. */
  startSeeding(definition: CouponDefinition, epoch: string, keyStyle: string): Promise<LedgerCoupon>;
  /** False: there is no such seeding any more; it was finished, or taken back. */
  finishSeeding(couponId: string, epoch: string): Promise<boolean>;
  /** Removes a coupon whose seeding was not finished. */
  undoSeeding(couponId: string, epoch: string): Promise<void>;
  /** Moves the coupon to a new epoch in state `resetting`; null if there is none. */
  startReset(couponId: string, epoch: string): Promise<LedgerCoupon | null>;
  /** Deletes the rows of these users of a coupon that is being reset. */
  deleteIssued(couponId: string, epoch: string, userIds: readonly string[]): Promise<void>;
  /** Removes a coupon that is being reset and has no rows left. */
  dropCoupon(couponId: string, epoch: string): Promise<void>;
  /** One transaction; may be repeated. Rows come back for every user of the batch who has a coupon, old or new. */
  issue(couponId: string, claims: readonly Claim[], options: IssueOptions): Promise<IssueResult>;
  /** Rows in order of user id, after the cursor. */
  page(couponId: string, afterUserId: string, limit: number): Promise<LedgerRow[]>;
  /** As {@link page}, in short. */
  briefs(couponId: string, afterUserId: string, limit: number): Promise<LedgerBrief[]>;
  /** Rows of these users, in no order. */
  rows(couponId: string, userIds: readonly string[]): Promise<LedgerRow[]>;
  /** `issued_quantity`, the number of rows, and the highest claim number, from one snapshot. */
  counts(couponId: string): Promise<LedgerCounts | null>;
  /** Issued since this instant, for the pace. */
  issuedSince(couponId: string, since: Date): Promise<number>;
  use(couponId: string, userId: string, useId: string): Promise<UseResult>;
}
