/** What happened when: a run cut into steps of equal length, few enough to be drawn whatever the number of requests. */
import type { RequestRecord } from '../checks/integrity.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';

/** One step of the run. Outcomes that did not occur in it are left out. */
export interface TimePoint {
  /** Where the step begins, seconds since the load began. */
  second: number;
  sent: number;
  /** Replies that arrived in this step. */
  outcomes: Partial<Record<Outcome, number>>;
  /**
   * Milliseconds from when the request was due (in a closed model: from sending) to the whole reply, of the replies that
   * arrived in this step; exact.
   */
  latency: Partial<Record<Outcome, { p50: number; p99: number }>>;
}

export interface Timeseries {
  stepSeconds: number;
  points: TimePoint[];
}

/** Longer runs get coarser steps. */
const MAX_POINTS = 300;
const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];

export function timeseries(record: RequestRecord): Timeseries {
  const lastUs = lastMoment(record);
  const stepSeconds = stepFor(lastUs);
  const stepUs = stepSeconds * 1e6;
  const count = Math.floor(lastUs / stepUs) + 1;
  // A step's start as a decimal number: 0.15, not 0.15000000000000002.
  const points = Array.from({ length: count }, (_, index): TimePoint => ({
    second: Number((index * stepSeconds).toFixed(2)),
    sent: 0,
    outcomes: {},
    latency: {},
  }));
  for (let row = 0; row < record.length; row += 1) {
    const sent = points[Math.floor(record.sentUs[row]! / stepUs)];
    if (sent) sent.sent += 1;
  }
  for (const { step, outcome, sortedUs } of groups(record, stepUs, count)) {
    const point = points[step]!;
    point.outcomes[outcome] = sortedUs.length;
    point.latency[outcome] = { p50: rank(sortedUs, 50), p99: rank(sortedUs, 99) };
  }
  return { stepSeconds, points };
}

/** Seconds of a step, so that as long a run has a few hundred of them. */
export function stepFor(lastUs: number): number {
  return STEPS.find((step) => lastUs / 1e6 / step < MAX_POINTS) ?? Math.ceil(lastUs / 1e6 / MAX_POINTS);
}

export function lastMoment({ length, sentUs, doneUs }: RequestRecord): number {
  let last = 0;
  for (let row = 0; row < length; row += 1) {
    if (sentUs[row]! > last) last = sentUs[row]!;
    if (doneUs[row]! > last) last = doneUs[row]!;
  }
  return last;
}

interface Group {
  step: number;
  outcome: Outcome;
  sortedUs: Float64Array;
}

/** Latencies by step and outcome, laid out by counting so that a million of them need one array and no objects. */
function* groups(record: RequestRecord, stepUs: number, steps: number): Generator<Group> {
  const cellOf = (row: number): number => Math.floor(record.doneUs[row]! / stepUs) * OUTCOMES.length + record.outcome[row]!;
  const start = new Uint32Array(steps * OUTCOMES.length + 1);
  for (let row = 0; row < record.length; row += 1) {
    // NaN: there was no reply.
    if (record.doneUs[row]! >= 0) start[cellOf(row) + 1]! += 1;
  }
  for (let cell = 1; cell < start.length; cell += 1) start[cell]! += start[cell - 1]!;
  const next = start.slice();
  const us = new Float64Array(start.at(-1)!);
  for (let row = 0; row < record.length; row += 1) {
    if (!(record.doneUs[row]! >= 0)) continue;
    const cell = cellOf(row);
    us[next[cell]!] = record.doneUs[row]! - record.intendedUs[row]!;
    next[cell]! += 1;
  }
  for (let cell = 0; cell + 1 < start.length; cell += 1) {
    const sortedUs = us.subarray(start[cell], start[cell + 1]).toSorted();
    if (sortedUs.length > 0) yield { step: Math.floor(cell / OUTCOMES.length), outcome: OUTCOMES[cell % OUTCOMES.length]!, sortedUs };
  }
}

/** Nearest rank, milliseconds with three decimals. */
function rank(sortedUs: Float64Array, percentile: number): number {
  const us = sortedUs[Math.max(0, Math.ceil((percentile / 100) * sortedUs.length) - 1)]!;
  return Math.round(us) / 1_000;
}
