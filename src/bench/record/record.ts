import { outcomeCode } from '../checks/integrity.ts';
import type { RequestRecord } from '../checks/integrity.ts';
import { noOutcomes, OUTCOMES } from '../../campaign/outcome.ts';
import type { OutcomeCounts } from '../../campaign/outcome.ts';
import type { RequestPlan } from '../plan/user-plan.ts';

const UNSENT = outcomeCode('unsent');

/**
 * The load generator's own book: one row for every planned request, written as it is sent and as it ends. Flat arrays of
 * numbers, laid out before the load starts, so that keeping the book costs the load nothing that could be measured
 * (about 45 bytes a request; no objects for the collector to trace).
 */
export class LoadRecord implements RequestRecord {
  length: number;
  user: Uint32Array;
  coupon: Uint16Array;
  requestId: Uint32Array;
  intendedUs: Float64Array;
  sentUs: Float64Array;
  doneUs: Float64Array;
  outcome: Uint8Array;
  status: Uint16Array;
  /** When the first reply was there, for services that decide later; undefined: the reply decides. */
  answeredUs?: Float64Array;
  readonly #counts = new Uint32Array(OUTCOMES.length);

  constructor(plan: RequestPlan, decidesLater = false) {
    this.length = plan.length;
    this.user = plan.user;
    this.coupon = plan.coupon;
    this.requestId = plan.requestId;
    this.intendedUs = new Float64Array(plan.length).fill(Number.NaN);
    this.sentUs = new Float64Array(plan.length).fill(Number.NaN);
    this.doneUs = new Float64Array(plan.length).fill(Number.NaN);
    this.outcome = new Uint8Array(plan.length).fill(UNSENT);
    this.status = new Uint16Array(plan.length);
    if (decidesLater) this.answeredUs = new Float64Array(plan.length).fill(Number.NaN);
  }

  /** To be called before the bytes are handed to the socket, so that "sent" is never later than the truth. */
  sent(row: number, intendedUs: number, nowUs: number): void {
    this.intendedUs[row] = intendedUs;
    this.sentUs[row] = nowUs;
  }

  /** A reply is there, be it the last or not. */
  answered(row: number, nowUs: number): void {
    if (this.answeredUs && Number.isNaN(this.answeredUs[row])) this.answeredUs[row] = nowUs;
  }

  /** The whole reply is there. */
  replied(row: number, code: number, status: number, nowUs: number): void {
    this.outcome[row] = code;
    this.status[row] = status;
    this.doneUs[row] = nowUs;
    this.#counts[code] = this.#counts[code]! + 1;
  }

  /** Sent, and there will be no usable reply. */
  lost(row: number): void {
    const code = outcomeCode('unknown');
    this.outcome[row] = code;
    this.#counts[code] = this.#counts[code]! + 1;
  }

  /** Was due, and was not sent: it stays `unsent`, with the time when it should have left. */
  dropped(row: number, intendedUs: number): void {
    this.intendedUs[row] = intendedUs;
  }

  /** Forgets all rows but the first so many: the others were never wanted. */
  cut(length: number): void {
    this.length = length;
    this.user = this.user.subarray(0, length);
    this.coupon = this.coupon.subarray(0, length);
    this.requestId = this.requestId.subarray(0, length);
    this.intendedUs = this.intendedUs.subarray(0, length);
    this.sentUs = this.sentUs.subarray(0, length);
    this.doneUs = this.doneUs.subarray(0, length);
    this.outcome = this.outcome.subarray(0, length);
    this.status = this.status.subarray(0, length);
    if (this.answeredUs) this.answeredUs = this.answeredUs.subarray(0, length);
  }

  /** Requests that have ended; those that were never sent count once `final`. */
  counts(final: boolean): OutcomeCounts {
    const counts = noOutcomes();
    let ended = 0;
    OUTCOMES.forEach((outcome, code) => {
      counts[outcome] = this.#counts[code]!;
      ended += this.#counts[code]!;
    });
    if (final) counts.unsent = this.length - ended;
    return counts;
  }
}

/** The columns alone: the record of a load is an instance of a class, and that is no data. */
export function columnsOf(record: RequestRecord) {
  const { length, user, coupon, requestId, intendedUs, sentUs, doneUs, outcome, status } = record;
  const { answeredUs, asker, acceptance, lacks } = record;
  return {
    length,
    user,
    coupon,
    requestId,
    intendedUs,
    sentUs,
    doneUs,
    outcome,
    status,
    ...(answeredUs ? { answeredUs } : {}),
    ...(asker ? { asker } : {}),
    ...(acceptance ? { acceptance } : {}),
    ...(lacks ? { lacks: [...lacks] } : {}),
  };
}

/** How many of the requests sent last a live p99 looks at. */
const RECENT = 2_000;

/** Milliseconds; null: none of the latest requests before `end` was answered. */
export function recentP99({ sentUs, doneUs }: LoadRecord, end: number): number | null {
  const from = Math.max(0, end - RECENT);
  const latencies = doneUs.subarray(from, end).map((done, index) => done - sentUs[from + index]!);
  const answered = latencies.filter((us) => us >= 0).toSorted();
  return answered.length === 0 ? null : answered[Math.ceil(answered.length * 0.99) - 1]! / 1_000;
}
