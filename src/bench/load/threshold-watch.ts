import type { Histogram } from 'hdr-histogram-js';
import type { AbortedLoad } from '../ports.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';
import { evaluateThresholds } from '../scenario/thresholds.ts';
import type { Measurements, Threshold } from '../scenario/thresholds.ts';
import { histogram, latencyValue } from '../record/histogram.ts';
import type { LoadRun } from './load-run.ts';

const LOOK_EVERY_MS = 100;
/** Looks in the second over which the rate of replies is taken. */
const LOOKS_PER_SECOND = 10;

/**
 * Evaluates thresholds with `abortOnFail` while the load runs, over all of it so far, as k6 does. What has not happened yet
 * (no accepted request to measure) is no reason to end: only the final evaluation takes that for a failure.
 */
export class ThresholdWatch {
  missed: AbortedLoad | null = null;
  readonly #run: LoadRun;
  readonly #thresholds: readonly Threshold[];
  readonly #ticker: NodeJS.Timeout | undefined;
  readonly #sent = new Map<Outcome | null, Histogram>();
  readonly #planned = new Map<Outcome | null, Histogram>();
  /** Replies at each of the last looks. */
  readonly #replies: number[] = [0];

  constructor(thresholds: readonly Threshold[], run: LoadRun, abort: () => void) {
    this.#run = run;
    this.#thresholds = thresholds;
    if (thresholds.length === 0) return;
    run.replies.onReply = (row) => this.#reply(row);
    this.#ticker = setInterval(() => {
      this.#look();
      if (this.missed) abort();
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #reply(row: number): void {
    const { outcome, doneUs, sentUs, intendedUs } = this.#run.record;
    for (const key of [null, OUTCOMES[outcome[row]!]!]) {
      own(this.#sent, key).recordValue(Math.max(0, Math.round(doneUs[row]! - sentUs[row]!)));
      own(this.#planned, key).recordValue(Math.max(0, Math.round(doneUs[row]! - intendedUs[row]!)));
    }
  }

  #look(): void {
    const { elapsedMs, outcomes } = this.#run.progress();
    const ended = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    const replies = ended - outcomes.unknown;
    const before = this.#replies.at(-LOOKS_PER_SECOND) ?? this.#replies[0]!;
    const answeredPerSecond = ((replies - before) * LOOKS_PER_SECOND) / Math.min(LOOKS_PER_SECOND, this.#replies.length);
    this.#replies.push(replies);
    if (this.#replies.length > LOOKS_PER_SECOND) this.#replies.shift();
    const soFar: Measurements = {
      latency: (outcome, aggregation, from) => latencyValue((from === 'sent' ? this.#sent : this.#planned).get(outcome), aggregation),
      count: (outcome) => outcomes[outcome],
      planned: ended,
      replies,
      repliesPerSecond: elapsedMs > 0 ? (replies * 1_000) / elapsedMs : null,
      figure: () => null,
    };
    const due = this.#thresholds.filter(({ abortAfterMs }) => abortAfterMs !== undefined && elapsedMs >= abortAfterMs);
    for (const { metric, expr, actual, ok } of evaluateThresholds(due, soFar)) {
      if (ok || actual === null || this.missed) continue;
      const { phaseName: phase, ratePerSecond: askedPerSecond } = this.#run;
      this.missed = { metric, expr, actual, phase, atMs: elapsedMs, askedPerSecond, answeredPerSecond };
    }
  }
}

function own(histograms: Map<Outcome | null, Histogram>, key: Outcome | null): Histogram {
  let found = histograms.get(key);
  if (!found) histograms.set(key, (found = histogram()));
  return found;
}
