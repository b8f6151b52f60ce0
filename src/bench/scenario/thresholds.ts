/**
 * Thresholds in the words of k6: a metric, and expressions `aggregation operator number` on it, such as `p(99)<200`.
 *
 * Two things differ on purpose. An unknown metric is refused when the scenario is read, because a misspelled one would
 * otherwise pass for ever. And a threshold on something that never happened fails (k6 takes an empty metric as 0): "accepted
 * within 200 ms" is not met by a run that accepted no user.
 */
import { suggestion } from '../../lib/text/suggest.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';

export interface Threshold {
  /** As written, such as `http_req_duration{outcome:accepted}`. */
  metric: string;
  /** As written, such as `p(99)<200`. */
  expr: string;
  source: MetricSource;
  aggregation: Aggregation;
  operator: Operator;
  limit: number;
  /** From so many milliseconds into the load on, missing it ends the load; undefined: it is only looked at afterwards. */
  abortAfterMs?: number | undefined;
}

export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';
export type Aggregation = { kind: 'avg' | 'min' | 'max' | 'count' | 'rate' | 'value' } | { kind: 'percentile'; percentile: number };

/**
 * Where the figure comes from:
 *
 * - `latency`  milliseconds from sending (k6's `http_req_duration`) or from when the request was due (`…_planned`) to the whole
 *   reply; of one outcome, or of all that got a reply
 * - `outcome`  requests with this outcome: `count`, or `rate` as a share of all planned requests (0 to 1)
 * - `requests` replies: `count`, or `rate` per second
 * - `figure`   one number of the run
 */
export type MetricSource =
  | { kind: 'latency'; outcome: Outcome | null; from: LatencyFrom }
  | { kind: 'outcome'; outcome: Outcome }
  | { kind: 'failed' }
  | { kind: 'requests' }
  | { kind: 'figure'; figure: Figure };

export type LatencyFrom = 'sent' | 'planned';

/** `accept_rate`, `issue_rate`: users per second; `time_until_drained`: ms from the first request until no user waits. */
const FIGURES = ['accept_rate', 'issue_rate', 'time_until_drained'] as const;
export type Figure = (typeof FIGURES)[number];

export interface ThresholdResult {
  metric: string;
  expr: string;
  /** Null: there was nothing to measure, which fails. */
  actual: number | null;
  ok: boolean;
}

const LATENCY = ['avg', 'min', 'max', 'percentile'];
const COUNTED = ['count', 'rate'];
const EXPRESSION =
  /^\s*(avg|min|med|max|count|rate|value|p\(\s*(\d{1,2}(?:\.\d{1,4})?|100)\s*\))\s*(<=|>=|==|!=|===|<|>)\s*(\d+(?:\.\d+)?)\s*$/;

/** All metric names, for suggestions and for the documentation. */
export const METRICS: readonly string[] = [
  ...['http_req_duration', 'http_req_duration_planned'].flatMap((name) => [
    name,
    ...OUTCOMES.filter((outcome) => outcome !== 'unknown' && outcome !== 'unsent').map((outcome) => `${name}{outcome:${outcome}}`),
  ]),
  ...OUTCOMES.map((outcome) => `outcome_${outcome}`),
  'http_reqs',
  'http_req_failed',
  'dropped_iterations',
  ...FIGURES,
];

/** The source of a metric, or what is wrong with its name. */
export function parseMetric(metric: string): MetricSource | { problem: string } {
  const name = metric.replaceAll(/\s/g, '');
  if (METRICS.includes(name)) {
    const latency = /^http_req_duration(_planned)?(?:\{outcome:(\w+)\})?$/.exec(name);
    if (latency) return { kind: 'latency', outcome: (latency[2] as Outcome | undefined) ?? null, from: latency[1] ? 'planned' : 'sent' };
    if (name === 'http_reqs') return { kind: 'requests' };
    if (name === 'http_req_failed') return { kind: 'failed' };
    if (name === 'dropped_iterations') return { kind: 'outcome', outcome: 'unsent' };
    if (name.startsWith('outcome_')) return { kind: 'outcome', outcome: name.slice('outcome_'.length) as Outcome };
    return { kind: 'figure', figure: name as Figure };
  }
  return { problem: `there is no metric "${metric}"${suggestion(name, METRICS)}` };
}

/** One expression on a metric, or what is wrong with it. */
export function parseThreshold(metric: string, source: MetricSource, expr: string): Threshold | { problem: string } {
  const match = EXPRESSION.exec(expr);
  if (!match)
    return { problem: `"${expr}" is not a threshold; write aggregation, operator and number, such as p(99)<200, count==0 or rate<0.01` };
  const [, word, percentile, operator, limit] = match;
  const aggregation = aggregationOf(word!, percentile);
  const possible =
    source.kind === 'latency' ? LATENCY : source.kind === 'figure' ? ['value'] : source.kind === 'failed' ? ['rate'] : COUNTED;
  if (!possible.includes(aggregation.kind)) {
    const words = possible.map((kind) => (kind === 'percentile' ? 'med, p(N)' : kind)).join(', ');
    return { problem: `${metric} has no "${word}"; it has ${words}` };
  }
  const symbol = operator === '===' ? '==' : (operator as Operator);
  return { metric, expr: expr.trim(), source, aggregation, operator: symbol, limit: Number(limit) };
}

function aggregationOf(word: string, percentile: string | undefined): Aggregation {
  if (percentile !== undefined) return { kind: 'percentile', percentile: Number(percentile) };
  if (word === 'med') return { kind: 'percentile', percentile: 50 };
  return { kind: word as 'avg' | 'min' | 'max' | 'count' | 'rate' | 'value' };
}

/** The figures of a finished run. Null stands for "nothing of that kind happened". */
export interface Measurements {
  /** Milliseconds. */
  latency(outcome: Outcome | null, aggregation: Aggregation, from: LatencyFrom): number | null;
  count(outcome: Outcome): number;
  planned: number;
  replies: number;
  repliesPerSecond: number | null;
  figure(figure: Figure): number | null;
}

export function evaluateThresholds(thresholds: readonly Threshold[], run: Measurements): ThresholdResult[] {
  return thresholds.map(({ metric, expr, source, aggregation, operator, limit }) => {
    const actual = measure(source, aggregation, run);
    return { metric, expr, actual, ok: actual !== null && compare(actual, operator, limit) };
  });
}

function measure(source: MetricSource, aggregation: Aggregation, run: Measurements): number | null {
  const share = (count: number): number | null => (run.planned > 0 ? count / run.planned : null);
  if (source.kind === 'latency') return run.latency(source.outcome, aggregation, source.from);
  if (source.kind === 'figure') return run.figure(source.figure);
  if (source.kind === 'requests') return aggregation.kind === 'count' ? run.replies : run.repliesPerSecond;
  if (source.kind === 'failed') return share(run.count('unexpected') + run.count('unknown') + run.count('unsent'));
  const count = run.count(source.outcome);
  return aggregation.kind === 'count' ? count : share(count);
}

function compare(actual: number, operator: Operator, limit: number): boolean {
  if (operator === '<') return actual < limit;
  if (operator === '<=') return actual <= limit;
  if (operator === '>') return actual > limit;
  if (operator === '>=') return actual >= limit;
  return operator === '==' ? actual === limit : actual !== limit;
}
