/**
 * How a request for a coupon can end. This is the one home of these names: HTTP codes, JSON fields,
 * scenario files and the checker all refer to it.
 */

const FIRST_OUTCOMES = ['accepted', 'duplicate', 'sold_out', 'not_open', 'unknown_coupon', 'unavailable'] as const;
/** `not_yet_open`: the window begins later. `closed`: it is over, or the coupon was closed. `not_open` is any other reason: paused. */
export const CLOSED_OUTCOMES = ['not_yet_open', 'closed'] as const;

/** Answers that admission itself can give. */
export const ADMISSION_OUTCOMES = [...FIRST_OUTCOMES, ...CLOSED_OUTCOMES] as const;

/**
 * Answers that services of other teams give beside those.
 *
 * - `refused`       no, and the reply does not say why
 * - `rate_limited`  a limiter answered, and nothing was decided
 * - `queued`        taken to be decided later; no promise
 * - `repeat`        the user has asked before; says nothing about how that ended
 * - `busy`          the service could not decide now (a lock, a conflict), and the client may ask again
 */
export const OTHER_OUTCOMES = ['refused', 'rate_limited', 'queued', 'repeat', 'busy'] as const;

/**
 * Every way a request can end for the one who sent it. Kept records hold the position in this list: new ones go to its end.
 *
 * - `unexpected`  an answer came that no rule explains
 * - `unknown`     the request was sent and no usable answer came: it may or may not have been accepted
 * - `unsent`      the request certainly never left
 */
export const OUTCOMES = [...FIRST_OUTCOMES, 'unexpected', 'unknown', 'unsent', ...OTHER_OUTCOMES, ...CLOSED_OUTCOMES] as const;

export type AdmissionOutcome = (typeof ADMISSION_OUTCOMES)[number];
export type Outcome = (typeof OUTCOMES)[number];

/** Whether an answer leaves open what an earlier try of the same request came to, whose reply was lost. */
export function leavesOpen({ outcome }: { outcome: Outcome }): boolean {
  return outcome === 'unavailable' || outcome === 'unknown_coupon';
}

/** A count for each outcome, zero included, in the order of {@link OUTCOMES}. */
export type OutcomeCounts = Record<Outcome, number>;

export function noOutcomes(): OutcomeCounts {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as OutcomeCounts;
}
