/**
 * What the use cases need from the stores. `stores/redis` and `stores/postgres` implement these; `cli/` and the tests put them together.
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes
 * here may be repeated.
 */
import type { AdmissionAnswer, AdmissionRequest } from './admission.ts';
import type { Claim, CouponDefinition, IssuedCoupon } from './coupon.ts';
import type { LedgerCondition, RedisCondition } from './readiness.ts';
import type { WrongType } from './wrong-type.ts';

/** Takes requests. Shared by `serve` and `submit`. */
export interface Admission {
  /** Answers in the order of the requests. One call is one atomic step for up to 256 requests. */
  admit(couponId: string, requests: readonly AdmissionRequest[]): Promise<AdmissionAnswer[]>;
}

/** `acked`: the highest claim number that the ledger is known to have reached, see `campaign/verify-coupon.ts`. */
export type VerifyResult = { status: 'ok'; acked: number } | { status: 'gone' } | { status: 'suspect'; reason: string };

/** Marks a coupon as checked against the ledger for the server that now runs, or as suspect. */
export interface Verification {
  verify(couponId: string, ledger: Pick<LedgerCoupon, 'epoch' | 'maxFence' | 'version'>): Promise<VerifyResult>;
  markSuspect(couponId: string, epoch: string, reason: string): Promise<void>;
}

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

/**
 * What a refusal of the ledger speaks of: the data of a `row`; the `statement` as a whole (schema, limits), though a trigger may raise it
 * for one row; or the `moment` (a conflict, a lock, a time limit).
 */
export type RefusalScope = 'row' | 'statement' | 'moment';

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

export type SeedResult = 'created' | 'exists' | 'foreign' | 'leftovers';

/** What a seeding would meet in Redis. `exists`: the coupon of this epoch, with what `verify.lua` would look at. */
export type SeedCheck =
  | { status: 'free' | 'foreign' | 'leftovers' }
  | { status: 'exists'; suspect: string; fence: number; version: number; counted: boolean; acked: number };

/** Sets coupons up and takes them away. */
export interface CouponStore {
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
  /** First step of a reset: closes admission and shuts out every worker of the old epoch. */
  retire(couponId: string, newEpoch: string): Promise<void>;
  /** Removes the issued hashes of these users. */
  dropIssued(couponId: string, userIds: readonly string[]): Promise<void>;
  /** Removes the issued hashes of everyone admitted, then all keys of the coupon, then its place in the index. */
  drop(couponId: string): Promise<void>;
  /** Ids of queues that exist in Redis, and keys of queues that a serializer spelled, found with SCAN. */
  scanQueues(): Promise<{ couponIds: string[]; serialised: string[] }>;
}

export interface UsePort {
  /** False: there is no issued hash for this user. */
  use(couponId: string, userId: string, usedAt: Date): Promise<boolean>;
}

/** One coupon as it stands in Redis, all fields from one instant. */
export interface RedisCoupon {
  couponId: string;
  name: string;
  total: number | null;
  stock: number | null;
  returned: number;
  state: string;
  suspect: string;
  epoch: string;
  version: number;
  opensAt: string;
  closesAt: string;
  expiresAt: string;
  validFor: string;
  fence: number;
  /** The highest claim number that the ledger is known to have reached. */
  acked: number;
  admitted: number;
  waiting: number;
  claimed: number;
  dead: number;
}

/** A clock that is a little ahead writes no future worth a word. */
export const AHEAD_MS = 60_000;

/** What the scores of a queue say. */
export interface QueueTimes {
  /** Microseconds; the earliest that is a time, in whatever unit. Null: there is none. It may lie in the future. */
  oldestUs: number | null;
  /** Users whose score is no time. */
  timeless: number;
  /** Users whose request time lies in the future. */
  future: number;
}

export interface QueueEntry {
  userId: string;
  score: number;
  position: number;
}

/** Everything that Redis knows about one user of a coupon. */
export interface RedisUser {
  userId: string;
  /** `score:requestId` split; null: never admitted. */
  admitted: { score: number; requestId: string } | null;
  waiting: number | null;
  /** Place in the queue, from 0; null when not waiting or not asked for. */
  position: number | null;
  leaseDeadlineMs: number | null;
  claim: { fence: number; worker: string; score: number; leaseMs: number; deliveries: number; faults: number } | null;
  dead: string | null;
  /** Fields of the issued hash, as they stand; null: no such hash. */
  issued: Record<string, string> | null;
  /** The issued key, where it holds another type than a hash; null: it does not. */
  occupied: WrongType | null;
}

/** What Redis says to some ledger rows, see `agree.lua`. */
export interface Agreement {
  /** Users about whom it says something else, or something more. */
  differing: string[];
  /** Of the others, those that another service had put into the queue. */
  adopted: string[];
}

export type UserSource = 'admitted' | 'waiting' | 'leases' | 'claims' | 'dead';

/**
 * Reads for inspect, audit and the HTTP status route. Nothing here writes, or walks the whole keyspace (but the two `scan`s). User ids
 * are texts as `campaign/member.ts` makes them, also those that are no user ids.
 *
 * Every method about one coupon may throw a WrongTypeError.
 */
export interface RedisReader {
  coupon(couponId: string): Promise<RedisCoupon | null>;
  indexed(): Promise<string[]>;
  /** By position, oldest first. */
  queue(couponId: string, offset: number, limit: number): Promise<QueueEntry[]>;
  users(couponId: string, userIds: readonly string[]): Promise<RedisUser[]>;
  user(couponId: string, userId: string): Promise<RedisUser>;
  /** Holds rows against what Redis knows, for a small part of the cost of reading both in full. */
  agree(couponId: string, rows: readonly LedgerBrief[]): Promise<Agreement>;
  /** User ids in chunks of about a thousand; an id may come more than once, as SCAN allows. */
  walk(couponId: string, source: UserSource): AsyncIterable<string[]>;
  /** Number of keys of any kind; null: this user may not ask. */
  keyCount(): Promise<number | null>;
  /** Ids of coupons that have a key in one of the three formats, found by walking the whole keyspace. */
  scanCoupons(): Promise<string[]>;
  queueTimes(couponId: string, nowMs: number): Promise<QueueTimes>;
  /** User ids of issued keys of any type, found by walking the whole keyspace. */
  scanIssued(couponId: string, only?: 'hashes'): AsyncIterable<string[]>;
  /** How the issued key of a user is spelled. */
  issuedKey(couponId: string, userId: string): string;
  /** Keys that look like ours and are not, such as those of a serializer, found by walking the whole keyspace. */
  scanForeign(): AsyncIterable<string[]>;
  /** Redis TIME, milliseconds. */
  now(): Promise<number>;
}

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

/** What probes and metrics ask of Redis itself. */
export interface RedisHealth {
  /** Whether accepting, claiming and acknowledging would work now. Never throws: a failure is an answer. */
  condition(): Promise<RedisCondition>;
  /** Whether what Redis answered has reached its disk; null: this user may not ask. @throws CouponError of kind `unreachable` */
  fsyncAlways(): Promise<boolean | null>;
}

/** What probes ask of the ledger's database. */
export interface LedgerHealth {
  /** Whether issuing would work now. Never throws: a failure is an answer. */
  condition(): Promise<LedgerCondition>;
}
