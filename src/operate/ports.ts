/**
 * How operators set coupons up, take them away, and decide on dead-lettered users.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { CouponDefinition } from '../campaign/coupon.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';

export type SeedResult = 'created' | 'exists' | 'foreign' | 'leftovers';

/** What a seeding would meet in Redis. `exists`: the coupon of this epoch, with what `verify.lua` would look at. */
export type SeedCheck =
  | { status: 'free' | 'leftovers' }
  /** `epoch`: empty where it has none, as a coupon that another service wrote. */
  | { status: 'foreign'; epoch: string }
  | { status: 'exists'; suspect: string; fence: number; version: number; counted: boolean; acked: number };

export interface SeedStore {
  /** False: it was indexed already. */
  index(couponId: string): Promise<boolean>;
  unindex(couponId: string): Promise<void>;
  /**
   * What {@link seed} would do, with nothing changed.
   *
   * @param epoch of the ledger's coupon; null: it has none
   * @throws CouponError `REDIS_AUTH` when this user may not seed
   */
  checkSeed(couponId: string, epoch: string | null): Promise<SeedCheck>;
  seed(definition: CouponDefinition, life: { epoch: string; version: number }): Promise<SeedResult>;
}

export interface SeedLedger {
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
}

export interface ResetStore {
  /** First step of a reset: closes admission and shuts out every worker of the old epoch. */
  retire(couponId: string, newEpoch: string): Promise<void>;
  /** Removes the issued hashes of these users. */
  dropIssued(couponId: string, userIds: readonly string[]): Promise<void>;
  /** Removes the issued hashes of everyone admitted, then all keys of the coupon, then its place in the index. */
  drop(couponId: string): Promise<void>;
}

export interface ResetLedger {
  /** Epochs that a reset of this ledger has ended. */
  endedEpochs(couponId: string): Promise<ReadonlySet<string>>;
  /** Moves the coupon to a new epoch in state `resetting`; null if there is none. */
  startReset(couponId: string, epoch: string): Promise<LedgerCoupon | null>;
  /** Deletes the rows from one user to another, both included, of a coupon that is being reset. */
  deleteIssued(couponId: string, epoch: string, firstUserId: string, lastUserId: string): Promise<void>;
  /** Removes a coupon that is being reset and has no rows left. */
  dropCoupon(couponId: string, epoch: string): Promise<void>;
}

/** What became of one user; the scripts say what each word means. */
export type RetryOutcome = 'ok' | 'not_dead' | 'invalid' | 'no_stock' | 'not_admitted' | 'epoch';
export type DropOutcome = 'ok' | 'not_dead' | 'not_admitted' | 'no_stock_field' | 'epoch';

/** Dead-lettered users. Outcomes come in the order of the users. */
export interface DeadUsers {
  retry(couponId: string, epoch: string, userIds: readonly string[]): Promise<RetryOutcome[]>;
  /** For users without a ledger row. */
  drop(couponId: string, epoch: string, userIds: readonly string[]): Promise<DropOutcome[]>;
}

/** What the log knows. */
export type ChangeKind =
  'pause' | 'resume' | 'close' | 'extend' | 'restock' | 'rename' | 'edit' | 'forget' | 'revoke' | 'export' | 'purge' | 'adopt';

/** What was asked for, such as `{add: 100}`; times as ISO 8601. */
export type ChangeDetails = Record<string, string | number | boolean>;

/** One entry of the operator's log. */
export interface Change {
  opId: string;
  couponId: string;
  kind: ChangeKind;
  details: ChangeDetails;
  version: number;
  byWhom: string;
  reason: string | null;
  begunAt: Date;
  /** Null: it was begun and not finished. */
  finishedAt: Date | null;
}

/** The ledger's part of a change of a coupon. */
export interface ChangeLedger {
  /** The change of this id, or the unfinished one of this life of the coupon. */
  findChange(coupon: Pick<LedgerCoupon, 'id' | 'epoch'>, opId: string | null): Promise<Change | null>;
  /**
   * Writes the change and what it makes of the coupon, in one transaction.
   *
   * @param coupon that the change was made from
   * @throws CouponError `CHANGE_UNFINISHED` when another one is under way, or was finished since the coupon was read
   */
  beginChange(
    change: Pick<Change, 'opId' | 'kind' | 'details' | 'byWhom' | 'reason'>,
    coupon: LedgerCoupon,
    definition: CouponDefinition,
    add: number,
  ): Promise<Change>;
  finishChange(opId: string): Promise<void>;
  /** The latest first. */
  changes(couponId: string | null, limit: number): Promise<Change[]>;
}

/** What becomes of a coupon in Redis, besides its settings. */
export interface CouponChange {
  epoch: string;
  /** Once it is done. */
  version: number;
  /** How much of the total is new. */
  add: number;
  /** Coupons that revocations have put back into the stock, once it is done, and how many of them are new. */
  givenBack: number;
  back: number;
  state: string | null;
}

/** Redis's part of it. */
export interface ChangeStore {
  /** How the sale stands. */
  saleOf(couponId: string): Promise<{ state: string; suspect: string; waiting: number; fence: number }>;
  /**
   * What the words mean is in `change.lua`.
   *
   * @param definition with the total that there is once it is done
   */
  change(definition: CouponDefinition, change: CouponChange): Promise<'ok' | 'done' | 'gone' | 'epoch' | 'version' | 'suspect'>;
}
