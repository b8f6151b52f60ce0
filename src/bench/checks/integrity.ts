/**
 * What a bench run is checked against, and in which words: the record of its requests, the evidence from both stores, and
 * the results. Users are numbers here (see `user-plan.ts`), so that a million requests stay a few flat arrays.
 */
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';

/**
 * The properties that must hold after every run, whatever the load was.
 *
 * - `issued_within_total`      never more issued coupons than the total, in both stores
 * - `one_per_user`             one accepted request, one ledger row, one Redis hash
 * - `accepted_are_issued`      every user who was told "accepted" has a coupon
 * - `issued_were_accepted`     no user has a coupon who was refused, or never asked
 * - `sold_out_when_gone`       no user was refused while there was stock, and no stock leaked
 * - `first_come_first_served`  a user answered before another asked comes before the other
 * - `stock_adds_up`            `total + returned = stock + |admitted ∪ waiting|`
 */
export const CHECKS = [
  'issued_within_total',
  'one_per_user',
  'accepted_are_issued',
  'issued_were_accepted',
  'sold_out_when_gone',
  'first_come_first_served',
  'stock_adds_up',
] as const;

export type CheckName = (typeof CHECKS)[number];
/** `not_exercised`: nothing was wrong, and nothing could have been; see `exercise.ts`. */
export const CHECK_STATUSES = ['pass', 'fail', 'not_checked', 'not_exercised'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/** Why a check failed, was not made, or passed with something to name. `report/words.ts` has a sentence for each. */
export const REASONS = [
  'LEDGER_OVER_TOTAL',
  'LEDGER_COUNTER_WRONG',
  'HASHES_OVER_TOTAL',
  'ACCEPTED_OVER_TOTAL',
  'ACCEPTED_TWICE',
  'OVER_LIMIT_PER_USER',
  'ISSUED_TWICE_IN_LEDGER',
  'ISSUED_TWICE_IN_REDIS',
  'ACCEPTED_NOT_ISSUED',
  'ACCEPTED_WITHOUT_ROW',
  'ACCEPTED_WITHOUT_HASH',
  'DUPLICATE_NOT_ISSUED',
  'ACCEPTED_SET_ASIDE',
  'ISSUED_TO_REFUSED',
  'ISSUED_AFTER_UNEXPECTED_ANSWER',
  'ISSUED_TO_STRANGER',
  'SOLD_OUT_TOO_EARLY',
  'STOCK_LEAKED',
  'OVERTAKEN',
  'SERVED_OUT_OF_ORDER',
  'STOCK_DOES_NOT_ADD_UP',
  'STOCK_MISSING',
  'STOCK_BELOW_ZERO',
  'NO_LEDGER_EVIDENCE',
  'NO_REDIS_EVIDENCE',
  'NOT_SETTLED',
  'NO_REQUEST_TIMES',
  'NO_USERS_RECORDED',
  'NO_TIMES_RECORDED',
  'REPLIES_ONLY',
  'NO_STOCK_EVIDENCE',
  'FEWER_USERS_THAN_COUPONS',
  'NOBODY_ASKS_TWICE',
  'NO_COUPONS_LEFT',
  'ALL_OVERLAPPED',
  'NOTHING_PROMISED',
  'TOO_FEW_ANSWERED',
  'NOBODY_ANSWERED_TWICE',
  'NOBODY_ACCEPTED',
] as const;

export type Reason = (typeof REASONS)[number];

export interface CheckResult {
  check: CheckName;
  couponId: string;
  status: CheckStatus;
  /** Null when the check passed and there is nothing to name. */
  reason: Reason | null;
  /** How many users (or issued coupons) the reason is about. */
  count: number;
  /** User ids, at most {@link SAMPLE_SIZE}. */
  sample: string[];
  /** Figures that the reason speaks of, such as `{issued: 1003, total: 1000}`. */
  facts: Record<string, number>;
}

export const SAMPLE_SIZE = 10;

/**
 * One row per request, as parallel arrays of the same length. All times are microseconds of one monotonic clock of the
 * generator: comparing them with each other is sound, comparing them with a store's clock is not.
 */
export interface RequestRecord {
  readonly length: number;
  /** Number of the user, see `UserDirectory`; where `asker` is there, of the coupon that an accepted reply named. */
  readonly user: Uint32Array;
  /** Number of the user, for services whose replies name the coupons that they issue, several to one user. */
  readonly asker?: Uint32Array;
  /** Position of the coupon in the scenario. */
  readonly coupon: Uint16Array;
  /** Equal numbers are the same request asked again under the same idempotency key. */
  readonly requestId: Uint32Array;
  /** Equal numbers are the same acceptance, by the coupon that the replies named; left out: as `requestId`. */
  readonly acceptance?: Uint32Array;
  /** When the plan wanted the request to leave; NaN when it never came to that. */
  readonly intendedUs: Float64Array;
  /** Taken just before the bytes went to the socket; NaN when they never did. */
  readonly sentUs: Float64Array;
  /** Taken when the whole reply was there; NaN when it never was. */
  readonly doneUs: Float64Array;
  /** Position in `OUTCOMES`. */
  readonly outcome: Uint8Array;
  /** HTTP status; 0 when there was none. */
  readonly status: Uint16Array;
  /** When the first reply was there, where the service decides later and was asked again. */
  readonly answeredUs?: Float64Array;
  /** What another load tool did not record: who asked, or when. */
  readonly lacks?: readonly ('users' | 'times')[];
}

/** Ledger rows of one coupon, as parallel arrays. A user who has two rows is in it twice. */
export interface LedgerEvidence {
  readonly user: Uint32Array;
  /** Request time as the ledger has it, microseconds since 1970; NaN when it does not say. */
  readonly requestedUs: Float64Array;
  /** How coarse `requestedUs` is; 1 for our own ledger, 1,000 for one that keeps milliseconds. */
  readonly requestedStepUs: number;
  /** Number of the claim that served the user, NaN when unknown or when the user was claimed more than once. */
  readonly turn: Float64Array;
  /** 1 when the coupon was revoked. */
  readonly revoked: Uint8Array;
  /** The ledger's own counter, null if it has none. */
  readonly issuedQuantity: number | null;
}

export interface RedisEvidence {
  /** Users with an issued hash. A user found twice is in it twice. */
  readonly issued: Uint32Array;
  readonly waiting: Uint32Array;
  readonly claimed: Uint32Array;
  readonly dead: Uint32Array;
  readonly total: number | null;
  readonly stock: number | null;
  readonly returned: number;
  /**
   * |admitted ∪ waiting|. Null when it cannot be told yet: a service that keeps no record of admissions has users out of
   * sight while it issues.
   */
  readonly spent: number | null;
}

/**
 * Which evidence there was to be read. A part that is not consulted is no gap: the others speak for it. A part that is consulted
 * and null could not be read.
 */
export interface Consulted {
  /** A list of the issued coupons: {@link LedgerEvidence}. */
  readonly ledger: boolean;
  /** A key for each issued user: {@link RedisEvidence.issued}. */
  readonly hashes: boolean;
  /** What is left: {@link RedisEvidence.stock}. */
  readonly stock: boolean;
}

/** What both stores say about one coupon after the run. A part that could not be read is null, and its checks are not made. */
export interface CouponEvidence {
  readonly couponId: string;
  readonly total: number;
  readonly ledger: LedgerEvidence | null;
  readonly redis: RedisEvidence | null;
  /** No user waits or is claimed, and the ledger has been quiet. */
  readonly settled: boolean;
  /**
   * Accepted users were missing when the time was up, while the queue was empty and nothing had changed for `settle.quietFor`. Left
   * out: that was not so, or could not be seen.
   */
  readonly idle?: true;
  /** Users who had been accepted or issued before the run; empty for a fresh coupon. */
  readonly before: Uint32Array;
  /** Left out: all of it, as with the stores of this project. */
  readonly consulted?: Consulted;
}

/** Names of users, and their number again. */
export interface UserNames {
  /** Numbers run from 0 to `size - 1`. */
  readonly size: number;
  /** The first `planned` numbers are the users of the scenario, all others turned up in the stores. */
  readonly planned: number;
  id(user: number): string;
}

const CODES = Object.fromEntries(OUTCOMES.map((outcome, code) => [outcome, code])) as Record<Outcome, number>;

const DECIDED: ReadonlySet<number> = new Set(
  (['accepted', 'duplicate', 'sold_out', 'refused', 'queued', 'repeat'] as const).map((outcome) => CODES[outcome]),
);

/** Whether the reply, by its code, says what became of the request, or leaves it to the list of issued coupons. */
export function isDecided(code: number): boolean {
  return DECIDED.has(code);
}

const OPEN: ReadonlySet<number> = new Set([CODES.queued, CODES.repeat]);

/** Whether the reply, by its code, promises nothing and refuses nothing. */
export function leavesOpen(code: number): boolean {
  return OPEN.has(code);
}

/** Users who have a coupon, by what could be read. */
export function issuedUsers({ ledger, redis }: CouponEvidence): ReadonlySet<number> {
  return new Set([...(ledger?.user ?? []), ...(redis?.issued ?? [])]);
}

/** Position in `OUTCOMES`, as {@link RequestRecord.outcome} has it. */
export function outcomeCode(outcome: Outcome): number {
  return CODES[outcome];
}
