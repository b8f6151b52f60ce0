/**
 * How a drain takes users from Redis and issues their coupons in the ledger.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { Claim } from '../campaign/coupon.ts';
import type { LedgerReader } from '../campaign/ports/ledger.ts';
import type { Verification } from '../campaign/ports/verification.ts';
import type { AckRow, Acknowledgement } from '../campaign/ports/acknowledgement.ts';

export interface ClaimOptions {
  epoch: string;
  limit: number;
  leaseMs: number;
  worker: string;
  /** How many users are probably waiting. That many are claimed at once, without checking the queue first. */
  waiting?: number;
  /** Milliseconds for which no other worker that asks for the same gets users of the coupon; left out: claim beside such a worker. */
  holdMs?: number;
}

export type ClaimResult =
  | {
      status: 'ok';
      claims: Claim[];
      /** Expired leases that went back to the queue. */
      reclaimed: number;
      /** Members that can never be issued, dead-lettered. */
      buried: number;
      /** Left in the queue. */
      waiting: number;
      /** The highest fence that the ledger is known to have reached: a ledger that now has less is itself behind. */
      acked: number;
      /** Of the buried, those that this claim dead-lettered: no user ids. Left out when there are none. */
      refused?: InvalidMember[];
      /** Claimed although the score was no time: they count as having asked now. Left out when there are none. */
      timeless?: string[];
    }
  /** `run`: not checked against the ledger since this server started; `epoch`: another life of the coupon. */
  | { status: 'gone' | 'epoch' | 'run' }
  | { status: 'suspect'; reason: string }
  /** Another worker holds the backlog, of which so many wait. */
  | { status: 'held'; by: string; waiting: number };

/** A member of the queue that is no user id. `reason`: `invalid_user_id` or `looks_serialised`. */
export interface InvalidMember {
  userId: string;
  reason: string;
}

/** A claimed user whose row the ledger refuses. `reason` is one line, see {@link IssueResult}. */
export type Refused = Pick<Claim, 'userId' | 'fence'> & { reason: string };

/** Hands accepted users to workers. */
export interface ClaimQueue extends Acknowledgement {
  claim(couponId: string, options: ClaimOptions): Promise<ClaimResult>;
  /** How many were given back. */
  release(couponId: string, epoch: string, claims: readonly Pick<Claim, 'userId' | 'fence'>[]): Promise<number>;
  /** Dead-letters users for a fault of their own. @returns how many; `release` says which users it leaves alone */
  bury(couponId: string, epoch: string, refused: readonly Refused[]): Promise<number>;
  /** Waiting and claimed right now. */
  backlog(couponId: string): Promise<{ waiting: number; claimed: number }>;
}

/** Queues that exist in Redis, seeded or not. */
export interface QueueScan {
  /** Ids of queues that exist in Redis, and keys of queues that a serializer spelled, found with SCAN. */
  scanQueues(): Promise<{ couponIds: string[]; serialised: string[] }>;
}

/**
 * What a refusal of the ledger speaks of: the data of a `row`; the `statement` as a whole (schema, limits), though a trigger may raise it
 * for one row; or the `moment` (a conflict, a lock, a time limit).
 */
export type RefusalScope = 'row' | 'statement' | 'moment';

/**
 * What a batch turned into. `guarded`: the ledger refused because it would break `total` or the coupon is not there. `refused`: by
 * a row, or by none (see {@link RefusalScope}); the reason is one line and begins with the SQLSTATE. `ended`: a user was forgotten since the
 * claim, or the claim waited too long; the other users, or all, are claimed again. But for `ok` nothing was written, or, of the `moment`, only
 * what was written was not read back.
 */
export type IssueResult =
  | { status: 'ok'; rows: AckRow[] }
  | { status: 'epoch' | 'ended' }
  | { status: 'guarded'; constraint: string }
  | { status: 'refused'; scope: RefusalScope; reason: string };

export interface IssueOptions {
  epoch: string;
  worker: string;
  /** Milliseconds; the lease bounds how long the ledger may take. */
  timeoutMs: number;
  /** Called when the batch is issued, before its rows are read: the next one may be sent. */
  issued?: () => void;
}

export interface IssueLedger {
  /** One transaction; may be repeated. Rows come back for every user of the batch who has a coupon, old or new. */
  issue(couponId: string, claims: readonly Claim[], options: IssueOptions): Promise<IssueResult>;
}

export interface DrainPorts {
  claims: ClaimQueue;
  coupons: Verification & QueueScan;
  ledger: LedgerReader & IssueLedger;
}

export interface DrainOptions {
  /** Only these; empty: all that the ledger has. */
  couponIds: readonly string[];
  /** At most so many users per coupon and pass. */
  batch: number;
  /** Milliseconds for which one worker alone drains a coupon with a backlog in one pass, batch after batch; left out or 0: one batch. */
  sliceMs?: number;
  leaseMs: number;
  worker: string;
  keyStyle: string;
  /** Also look for queues with SCAN, to name those that no ledger coupon stands behind. */
  scan: boolean;
}
