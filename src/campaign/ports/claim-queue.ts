/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { Claim, IssuedCoupon } from '../coupon.ts';
import type { WrongType } from '../wrong-type.ts';

export interface ClaimOptions {
  epoch: string;
  limit: number;
  leaseMs: number;
  worker: string;
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
      /** The highest claim number that the ledger is known to have reached: a ledger that now has less is itself behind. */
      acked: number;
      /** Of the buried, those that this claim dead-lettered: no user ids. Left out when there are none. */
      refused?: InvalidMember[];
      /** Claimed although the score was no time: they count as having asked now. Left out when there are none. */
      timeless?: string[];
    }
  /** `run`: not checked against the ledger since this server started; `epoch`: another life of the coupon. */
  | { status: 'gone' | 'epoch' | 'run' }
  | { status: 'suspect'; reason: string };

/** A member of the queue that is no user id. `reason`: `invalid_user_id` or `looks_serialised`. */
export interface InvalidMember {
  userId: string;
  reason: string;
}

/** A ledger row, and the claim that it came from. */
export type AckRow = IssuedCoupon & Pick<Claim, 'fence'>;

/** A claimed user whose row the ledger refuses. `reason` is one line, see {@link IssueResult}. */
export type Refused = Pick<Claim, 'userId' | 'fence'> & { reason: string };

/** Hands accepted users to workers. */
export interface ClaimQueue {
  claim(couponId: string, options: ClaimOptions): Promise<ClaimResult>;
  /**
   * False: the coupon has another epoch now, nothing was written.
   *
   * @param occupied called with each issued key that holds another type: its hash was not written, the claim was given up
   */
  ack(couponId: string, epoch: string, rows: readonly AckRow[], occupied?: (wrong: WrongType) => void): Promise<boolean>;
  /** How many were given back. */
  release(couponId: string, epoch: string, claims: readonly Pick<Claim, 'userId' | 'fence'>[]): Promise<number>;
  /** Dead-letters users for a fault of their own. @returns how many; `release` says which users it leaves alone */
  bury(couponId: string, epoch: string, refused: readonly Refused[]): Promise<number>;
  /** Waiting and claimed right now. */
  backlog(couponId: string): Promise<{ waiting: number; claimed: number }>;
}

/** What became of one user; the scripts say what each word means. */
export type RetryOutcome = 'ok' | 'not_dead' | 'invalid' | 'no_stock' | 'not_admitted' | 'epoch';
export type DropOutcome = 'ok' | 'not_dead' | 'no_stock_field' | 'epoch';

/** Dead-lettered users. Outcomes come in the order of the users. */
export interface DeadUsers {
  retry(couponId: string, epoch: string, userIds: readonly string[]): Promise<RetryOutcome[]>;
  /** For users without a ledger row. */
  drop(couponId: string, epoch: string, userIds: readonly string[]): Promise<DropOutcome[]>;
}
