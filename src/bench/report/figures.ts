/** Figures of a report that follow from the record and its histograms alone, so that a kept run can be measured again. */
import { outcomeCode } from '../checks/integrity.ts';
import type { RequestRecord } from '../checks/integrity.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { OutcomeCounts } from '../../campaign/outcome.ts';
import type { Measurements } from '../scenario/thresholds.ts';
import type { Latencies } from '../ports.ts';
import type { BenchReport, Throughput } from './report.ts';

/** What a report says of latencies, for each outcome that had a reply. */
export function latencyFields(latencies: Latencies): Pick<BenchReport, 'latency' | 'histograms'> {
  const latency: BenchReport['latency'] = {};
  const histograms: BenchReport['histograms'] = {};
  for (const outcome of OUTCOMES) {
    const summary = latencies.summary(outcome);
    if (summary) latency[outcome] = summary;
    const encoded = latencies.encoded(outcome);
    if (encoded !== null) histograms[outcome] = encoded;
  }
  return { latency, histograms };
}

/** Acceptances per second, from the first to the last. */
export function acceptsPerSecond(record: RequestRecord): number | null {
  const code = outcomeCode('accepted');
  let count = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < record.length; row += 1) {
    if (record.outcome[row] !== code) continue;
    count += 1;
    first = Math.min(first, record.doneUs[row]!);
    last = Math.max(last, record.doneUs[row]!);
  }
  return last > first ? count / ((last - first) / 1e6) : null;
}

/** The figures of a run as thresholds ask for them. */
export function measurements(run: {
  latencies: Pick<Latencies, 'value'>;
  /** From when each request was due. */
  fromPlanned: Pick<Latencies, 'value'>;
  outcomes: OutcomeCounts;
  planned: number;
  throughput: Throughput;
}): Measurements {
  const { outcomes, planned, throughput } = run;
  const figures = {
    accept_rate: throughput.acceptsPerSecond,
    issue_rate: throughput.issuesPerSecond,
    time_until_drained: throughput.timeUntilDrainedMs,
  };
  return {
    latency: (outcome, aggregation, from) => (from === 'sent' ? run.latencies : run.fromPlanned).value(outcome, aggregation),
    count: (outcome) => outcomes[outcome],
    planned,
    replies: planned - outcomes.unsent - outcomes.unknown,
    repliesPerSecond: throughput.seconds > 0 ? throughput.requestsPerSecond : null,
    figure: (figure) => figures[figure],
  };
}
