/**
 * What may not become worse from one run to another, in the words of the thresholds: `p(99)>+10%` is hit when the 99th percentile
 * of an outcome is more than 10 % higher in the second run than in the first. A metric may stand in front:
 * `http_req_duration{outcome:accepted}: p(99)>+5` (without `%` in the metric's own unit), `http_reqs: rate<-10%`,
 * `accept_rate<-10%`.
 */
import { evaluateThresholds, METRICS, parseMetric, parseThreshold } from '../scenario/thresholds.ts';
import { OUTCOMES, type Outcome } from '../../campaign/outcome.ts';
import type { Measurements, Threshold } from '../scenario/thresholds.ts';

export interface Gate {
  /** As written. */
  expr: string;
  /** Which figure of a run, see {@link measured}. */
  figure: Threshold;
  /** `p(99)`, as in {@link figureOf}. */
  aggregation: string;
  /** No metric was named: the latency of each outcome is judged. Quick refusals would hide that acceptance became slow. */
  eachOutcome: boolean;
  operator: '<' | '<=' | '>' | '>=';
  /** How much more (or, below zero, less) the second run may have: percent of the first, or the metric's unit. */
  limit: number;
  relative: boolean;
}

export interface GateResult {
  expr: string;
  metric: string;
  aggregation: string;
  /** Null when there was nothing to measure. */
  before: number | null;
  after: number | null;
  /** As `relative` says; null when it cannot be said, which is a hit. */
  change: number | null;
  hit: boolean;
}

const GATE = /^\s*(?:([a-z_]+(?:\{[^}]*\})?)\s*:?\s*)??([a-z_]+(?:\([^)]*\))?)\s*(>=|<=|>|<)\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*$/;
const DEFAULT_METRIC = 'http_req_duration';

/** A gate from its text, or what is wrong with it. */
export function parseGate(text: string): Gate | { problem: string } {
  const [, named, word, operator, limit, percent] = GATE.exec(text) ?? [];
  if (word === undefined)
    return { problem: `"${text}" is not a limit; write what may change, and by how much, such as p(99)>+10% or http_reqs: rate<-10%` };
  // A metric that is one number needs no aggregation.
  const alone = named === undefined && METRICS.includes(word);
  const metric = alone ? word : (named ?? DEFAULT_METRIC);
  if (metric.includes('_planned')) return { problem: `reports keep no histogram of ${metric}; compare http_req_duration` };
  const aggregation = alone ? 'value' : word;
  const figure = figureOf(metric, aggregation);
  if ('problem' in figure) return figure;
  return {
    expr: text.trim(),
    figure,
    aggregation,
    eachOutcome: named === undefined && !alone,
    operator: operator as Gate['operator'],
    limit: Number(limit),
    relative: percent === '%',
  };
}

/** A figure of a run by metric and aggregation, or what is wrong with them. */
export function figureOf(metric: string, aggregation: string): Threshold | { problem: string } {
  const source = parseMetric(metric);
  return 'problem' in source ? source : parseThreshold(metric, source, `${aggregation}>0`);
}

/** Null when nothing of the kind happened in the run. */
export function measured(figure: Threshold, run: Measurements): number | null {
  return evaluateThresholds([figure], run)[0]!.actual;
}

/** One result, or one for each outcome that both runs can tell of; whether anyone was accepted at all is always asked. */
export function evaluateGates(gate: Gate, before: Measurements, after: Measurements): GateResult[] {
  if (!gate.eachOutcome) return [evaluateGate(gate, before, after)];
  const results = OUTCOMES.flatMap((outcome) => {
    const figure = figureOf(durationOf(outcome), gate.aggregation);
    // No reply came, so there is no such metric.
    if ('problem' in figure) return [];
    const result = evaluateGate({ ...gate, figure }, before, after);
    return result.before === null || result.after === null ? [] : [result];
  });
  const accepted = figureOf(durationOf('accepted'), gate.aggregation) as Threshold;
  const isThere = results.some(({ metric }) => metric === accepted.metric);
  return isThere ? results : [evaluateGate({ ...gate, figure: accepted }, before, after), ...results];
}

/** The metric of the latency of one outcome. */
export function durationOf(outcome: Outcome): string {
  return `${DEFAULT_METRIC}{outcome:${outcome}}`;
}

function evaluateGate(gate: Gate, before: Measurements, after: Measurements): GateResult {
  const [first, second] = [measured(gate.figure, before), measured(gate.figure, after)];
  const change = gate.relative ? changePercent(first, second) : first === null || second === null ? null : second - first;
  return {
    expr: gate.expr,
    metric: gate.figure.metric,
    aggregation: gate.aggregation,
    before: first,
    after: second,
    change,
    hit: change === null || compare(change, gate.operator, gate.limit),
  };
}

/** Null when one of them is, and when it grew from nothing. */
export function changePercent(before: number | null, after: number | null): number | null {
  if (before === null || after === null) return null;
  if (before === after) return 0;
  return before === 0 ? null : (100 * (after - before)) / before;
}

function compare(change: number, operator: Gate['operator'], limit: number): boolean {
  if (operator === '<') return change < limit;
  if (operator === '<=') return change <= limit;
  return operator === '>' ? change > limit : change >= limit;
}
