import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import type { Latencies, LatencySummary } from '../ports.ts';
import type { RequestRecord } from '../checks/integrity.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';
import type { Aggregation } from '../scenario/thresholds.ts';

/**
 * Latencies of a record, one histogram per outcome: refusals are quick, and one histogram for all would hide slow acceptances
 * behind them (oha issue 212). Microseconds, three significant digits; filled after the load, which costs it nothing.
 * autocannon's own histogram keeps whole milliseconds and is not used.
 *
 * @param from `planned`: from when the request was due, which counts the time that it waited for a free connection
 */
export function latenciesOf(record: RequestRecord, from: 'sent' | 'planned' = 'sent'): Latencies {
  const start = from === 'sent' ? record.sentUs : record.intendedUs;
  const byOutcome = new Map<Outcome, Histogram>();
  const all = histogram();
  for (let row = 0; row < record.length; row += 1) {
    // NaN when there was no reply.
    const us = record.doneUs[row]! - start[row]!;
    if (!(us >= 0)) continue;
    const outcome = OUTCOMES[record.outcome[row]!]!;
    let own = byOutcome.get(outcome);
    if (!own) byOutcome.set(outcome, (own = histogram()));
    own.recordValue(Math.round(us));
  }
  for (const own of byOutcome.values()) all.add(own);
  // Of requests that were decided later, the time of the first reply stands beside that of the last.
  const { answeredUs } = record;
  if (answeredUs) {
    const first = byOutcome.get('queued') ?? histogram();
    for (let row = 0; row < record.length; row += 1)
      if (answeredUs[row]! < record.doneUs[row]!) first.recordValue(Math.round(answeredUs[row]! - start[row]!));
    if (first.totalCount > 0) byOutcome.set('queued', first);
  }
  return {
    summary: (outcome) => summary(byOutcome.get(outcome)),
    value: (outcome, aggregation) => latencyValue(outcome === null ? all : byOutcome.get(outcome), aggregation),
    encoded(outcome) {
      const own = byOutcome.get(outcome);
      return own ? encodeIntoCompressedBase64(own) : null;
    },
  };
}

export function histogram(): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: true,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
}

function summary(from: Histogram | undefined): LatencySummary | null {
  if (!from || from.totalCount === 0) return null;
  const at = (percentile: number): number => atPercentile(from, percentile);
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: from.maxValue / 1_000 };
}

export function latencyValue(from: Histogram | undefined, aggregation: Aggregation): number | null {
  if (!from || from.totalCount === 0) return null;
  if (aggregation.kind === 'percentile') return atPercentile(from, aggregation.percentile);
  if (aggregation.kind === 'avg') return from.mean / 1_000;
  if (aggregation.kind === 'min') return from.minNonZeroValue / 1_000;
  return from.maxValue / 1_000;
}

/** The upper end of the histogram's bucket, as HDR histograms have it, but never more than the greatest that there was. */
function atPercentile(from: Histogram, percentile: number): number {
  return Math.min(from.getValueAtPercentile(percentile), from.maxValue) / 1_000;
}
