/** Charts of the load: what was answered when, and how fast. */
import type { Latencies } from '../../ports.ts';
import type { BenchReport } from '../report.ts';
import { OUTCOMES } from '../../../campaign/outcome.ts';
import type { Outcome } from '../../../campaign/outcome.ts';
import { figure, number } from '../../../lib/text/figures.ts';
import { outcomeSeries } from './chart.ts';
import type { Chart } from './chart.ts';

export function outcomesChart({ timeseries, stepSeconds, outcomes }: BenchReport): Chart {
  const present = OUTCOMES.filter((outcome) => timeseries.some((point) => point.outcomes[outcome]));
  const said = present.map((outcome) => `${number(outcomes[outcome])} ${outcome}`).join(', ');
  return {
    id: 'outcomes',
    title: 'Answers over time',
    summary: `Answers per second, by outcome, on top of one another from the bottom. In all: ${said || 'none'}.`,
    x: 'seconds',
    y: { label: 'answers/s', log: false },
    stacked: true,
    series: present.map((outcome) => outcomeSeries(outcome)),
    data: [
      timeseries.map((point) => point.second),
      ...present.map((outcome) => timeseries.map((point) => Math.round((point.outcomes[outcome] ?? 0) / stepSeconds))),
    ],
  };
}

/** The thick line is the slowest of a hundred, the thin one is the middle. */
export function latencyChart(report: BenchReport): Chart {
  const { timeseries } = report;
  const present = answered(report);
  const series = present.flatMap((outcome) => [
    { ...outcomeSeries(outcome, `${outcome} p99`), width: 2 },
    { ...outcomeSeries(outcome, `${outcome} p50`), width: 1 },
  ]);
  return {
    id: 'latency',
    title: 'Latency over time',
    summary: `${fromWhen(report)} to the whole answer, by outcome: p50 (thin) and p99 (thick). ${latencySummary(report)}`,
    x: 'seconds',
    y: { label: 'latency in ms', log: true },
    stacked: false,
    series,
    data: [
      timeseries.map((point) => point.second),
      ...present.flatMap((outcome) =>
        (['p99', 'p50'] as const).map((which) => timeseries.map((point) => positive(point.latency[outcome]?.[which]))),
      ),
    ],
  };
}

/** Points for each factor of ten of the share that is slower. */
const POINTS_PER_NINE = 20;

/** Latency by percentile, as hdrplot draws it: the tail has as much room as the rest. */
export function spectrumChart(report: BenchReport, latencies: Pick<Latencies, 'value'>): Chart {
  const { outcomes } = report;
  const present = answered(report);
  const most = Math.max(10, ...present.map((outcome) => outcomes[outcome]));
  const last = Math.ceil(Math.log10(most) * POINTS_PER_NINE);
  const nines = Array.from({ length: last + 1 }, (_, index) => index / POINTS_PER_NINE);
  const at = (outcome: Outcome, nine: number): number | null => {
    // Beyond the last request there is nothing to rank.
    if (nine > Math.log10(outcomes[outcome]) + 1 / POINTS_PER_NINE) return null;
    return positive(latencies.value(outcome, { kind: 'percentile', percentile: 100 * (1 - 10 ** -nine) }));
  };
  return {
    id: 'spectrum',
    title: 'Latency by percentile',
    summary: `How slow the slowest answers of each outcome were, ${fromWhen(report).toLowerCase()}. ${latencySummary(report)}`,
    x: 'nines',
    y: { label: 'latency in ms', log: true },
    stacked: false,
    series: present.map((outcome) => outcomeSeries(outcome)),
    data: [nines, ...present.map((outcome) => nines.map((nine) => at(outcome, nine)))],
  };
}

function answered({ latency }: BenchReport): Outcome[] {
  return OUTCOMES.filter((outcome) => latency[outcome] !== undefined);
}

/** In an open model a request that had to wait for a connection has been waiting for its user too. */
function fromWhen({ latencyFromPlanned }: BenchReport): string {
  return Object.keys(latencyFromPlanned).length > 0 ? 'From when each request was due' : 'From sending';
}

function latencySummary(report: BenchReport): string {
  const latency = { ...report.latency, ...report.latencyFromPlanned };
  return answered(report)
    .map((outcome) => `${outcome}: p50 ${figure(latency[outcome]!.p50)} ms, p99 ${figure(latency[outcome]!.p99)} ms`)
    .join('; ');
}

/** A logarithmic axis has no zero. */
function positive(value: number | null | undefined): number | null {
  return value !== null && value !== undefined && value > 0 ? value : null;
}
