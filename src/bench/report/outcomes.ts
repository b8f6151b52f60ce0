import type { BenchReport } from './report.ts';
import type { LatencySummary } from '../ports.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import { figure, number } from '../../lib/text/figures.ts';

/** One line of the table of outcomes, in words; the same for terminal, page and Markdown. */
export interface OutcomeRow {
  outcome: string;
  count: string;
  share: string;
  /** p50, p90, p99, p99.9 and max in milliseconds; empty where nothing was measured. */
  latency: string[];
}

export const LATENCY_HEADS = ['p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms', 'max ms'];

/**
 * Each outcome that occurred, with its latencies beside it: quick refusals must not hide slow acceptances. In an open model
 * a second line counts from when the requests were due, because that is what users felt.
 */
export function outcomeRows({ outcomes, latency, latencyFromPlanned, scenario }: BenchReport): OutcomeRow[] {
  return OUTCOMES.filter((outcome) => outcomes[outcome] > 0 || latency[outcome]).flatMap((outcome): OutcomeRow[] => {
    // All were decided later; this is how long the first reply took.
    if (outcomes[outcome] === 0) return [{ outcome: `${outcome}, at first`, count: '', share: '', latency: figures(latency[outcome]) }];
    const share = `${((100 * outcomes[outcome]) / scenario.requests).toFixed(1)} %`;
    const sent = { outcome, count: number(outcomes[outcome]), share, latency: figures(latency[outcome]) };
    const planned = latencyFromPlanned[outcome];
    return planned ? [sent, { outcome: '– from when due', count: '', share: '', latency: figures(planned) }] : [sent];
  });
}

function figures(summary: LatencySummary | undefined): string[] {
  return summary ? [summary.p50, summary.p90, summary.p99, summary.p999, summary.max].map(figure) : LATENCY_HEADS.map(() => '');
}
