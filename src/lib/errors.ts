import type { ErrorCode } from './error-codes.ts';

/**
 * What a failure means to the person at the terminal. `cli/exit-codes.ts` turns a kind into a number.
 *
 * - `usage`         wrong input, wrong configuration, or a refusal: nothing was changed
 * - `unreachable`   a store or an endpoint cannot be reached
 * - `broken`        an invariant does not hold
 * - `inconclusive`  the question could not be answered
 * - `failure`       anything else that we know how to explain
 */
export type FailureKind = 'usage' | 'unreachable' | 'broken' | 'inconclusive' | 'failure';

export interface FailureDetails {
  /** Stable; scripts match on it. */
  code: ErrorCode;
  kind: FailureKind;
  /** What happened, one line, no trailing full stop needed. */
  message: string;
  /** Why, when it adds something. */
  why?: string | undefined;
  /** What to do next: a sentence or a command. */
  fix: string;
  cause?: unknown;
}

/**
 * A failure that we can explain: what, why, what to do next, and a stable code.
 *
 * Expected refusals of a request (sold out, duplicate) are data, see `outcome.ts`, and never end up here.
 */
export class CouponError extends Error {
  override readonly name = 'CouponError';
  readonly code: ErrorCode;
  readonly kind: FailureKind;
  readonly why: string | undefined;
  readonly fix: string;

  constructor(details: FailureDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.kind = details.kind;
    this.why = details.why;
    this.fix = details.fix;
  }
}

/** Shorthand for the most frequent kind: bad input or a refusal, exit code 2, nothing changed. */
export function usageError(code: ErrorCode, message: string, fix: string): CouponError {
  return new CouponError({ code, kind: 'usage', message, fix });
}

/** A store or an endpoint is away: nothing is wrong with what was asked, and asking later may work. */
export function isOutage(error: unknown): error is CouponError {
  return error instanceof CouponError && error.kind === 'unreachable';
}

/** The same error at the end of a wait for a store. @param waited such as `30s` */
export function gaveUp(error: CouponError, waited: string): CouponError {
  const { code, kind, message, why, fix } = error;
  return new CouponError({ code, kind, message: `${message}; it was waited for ${waited}`, why, fix, cause: error });
}

const REPLY_LOST = new Set(['REDIS_REPLY_LOST', 'LEDGER_REPLY_LOST', 'REPLICA_UNCONFIRMED']);

/** The command was sent and its reply was lost, so it may have taken effect. Any other outage left nothing behind. */
export function isReplyLost(error: unknown): boolean {
  return error instanceof CouponError && REPLY_LOST.has(error.code);
}
