import { OUTCOMES, type OutcomeCounts } from '../campaign/outcome.ts';
import type { Paint } from '../lib/text/style.ts';
import { formatDuration } from '../lib/duration.ts';
import { figure, number, plural } from '../lib/text/figures.ts';
import type { SubmitResult } from './submit.ts';
import { table } from '../lib/text/table.ts';

export interface SubmitSummary {
  couponId: string;
  requests: number;
  outcomes: OutcomeCounts;
  seconds: number;
  perSecond: number;
  latencyMs: SubmitResult['latencyMs'];
}

/** Outcomes with counts, without those that did not occur, and the rate below. */
export function submitText(summary: SubmitSummary, paint: Paint): string {
  const rows = OUTCOMES.filter((outcome) => summary.outcomes[outcome] > 0).map((outcome) => ({
    outcome,
    count: summary.outcomes[outcome],
  }));
  const counts = table(
    rows,
    [
      { head: 'OUTCOME', value: (row) => row.outcome },
      { head: 'REQUESTS', value: (row) => row.count, align: 'right' },
    ],
    paint,
    { report: true },
  );
  const { latencyMs } = summary;
  const took = latencyMs
    ? `\nanswered in ${figure(latencyMs.p50)} ms (p50), ${figure(latencyMs.p99)} ms (p99), ${figure(latencyMs.max)} ms (max)`
    : '';
  return `${counts}\n\n${plural(summary.requests, 'request')} for coupon ${summary.couponId} in ${formatDuration(summary.seconds * 1_000)}, ${number(Math.round(summary.perSecond))}/s${took}`;
}

/** `12,345 of 100,000 sent, 4,115/s: 100 accepted, 12,245 sold_out`. */
export function submitProgressText(sent: number, requests: number, seconds: number, outcomes: OutcomeCounts): string {
  const counts = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map((outcome) => `${number(outcomes[outcome])} ${outcome}`);
  const rate = seconds > 0 ? `, ${number(Math.round(sent / seconds))}/s` : '';
  return `${number(sent)} of ${number(requests)} sent${rate}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`;
}
