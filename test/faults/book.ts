import { outcomeCode, type RequestRecord } from '../../src/bench/checks/integrity.ts';
import type { Outcome } from '../../src/campaign/outcome.ts';

/** One request as the load saw it. Times are microseconds of one monotonic clock. */
export interface Row {
  user: number;
  /** Position of the coupon in the campaign. */
  coupon: number;
  /** Equal numbers were asked under the same Idempotency-Key. */
  requestId: number;
  /** Taken just before sending; NaN when it never left. */
  sentUs: number;
  /** NaN when there was no reply. */
  doneUs: number;
  outcome: Outcome;
  status: number;
}

/** The rows in the shape that the checker reads. */
export function recordOf(rows: readonly Row[]): RequestRecord {
  const sentUs = Float64Array.from(rows, (row) => row.sentUs);
  return {
    length: rows.length,
    user: Uint32Array.from(rows, (row) => row.user),
    coupon: Uint16Array.from(rows, (row) => row.coupon),
    requestId: Uint32Array.from(rows, (row) => row.requestId),
    intendedUs: sentUs,
    sentUs,
    doneUs: Float64Array.from(rows, (row) => row.doneUs),
    outcome: Uint8Array.from(rows, (row) => outcomeCode(row.outcome)),
    status: Uint16Array.from(rows, (row) => row.status),
  };
}
