import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';
import type { Latencies } from '../ports.ts';
import type { BenchReport } from '../report/report.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';

/**
 * Latencies out of a report: percentiles and means are those of the run itself, because the report carries the histograms and
 * not just a few figures of them.
 *
 * @throws Error for a text that is no histogram
 */
export function storedLatencies({ histograms, latency }: Pick<BenchReport, 'histograms' | 'latency'>): Pick<Latencies, 'value'> {
  const byOutcome = new Map<Outcome, Histogram>();
  const all = build({ bitBucketSize: 32, autoResize: true, numberOfSignificantValueDigits: 3 });
  for (const outcome of OUTCOMES) {
    const text = histograms[outcome];
    if (text === undefined) continue;
    const own = decodeFromCompressedBase64(text, 32);
    byOutcome.set(outcome, own);
    all.add(own);
  }
  // A histogram knows its ends to three digits only; the summaries have the greatest as it was.
  const most = (outcome: Outcome | null): number =>
    Math.max(...OUTCOMES.filter((one) => outcome === null || one === outcome).map((one) => latency[one]?.max ?? 0));
  return {
    value(outcome, aggregation) {
      const own = outcome === null ? all : byOutcome.get(outcome);
      if (!own || own.totalCount === 0) return null;
      if (aggregation.kind === 'percentile') return Math.min(own.getValueAtPercentile(aggregation.percentile) / 1_000, most(outcome));
      if (aggregation.kind === 'avg') return own.mean / 1_000;
      return aggregation.kind === 'min' ? own.minNonZeroValue / 1_000 : most(outcome);
    },
  };
}
