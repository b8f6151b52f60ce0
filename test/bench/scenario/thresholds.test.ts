import { describe, expect, test } from 'vitest';
import { evaluateThresholds, METRICS, parseMetric, parseThreshold } from '../../../src/bench/scenario/thresholds.ts';
import type { Measurements, Threshold } from '../../../src/bench/scenario/thresholds.ts';

const RUN: Measurements = {
  latency: (outcome, aggregation) => (outcome === 'sold_out' ? null : aggregation.kind === 'percentile' ? aggregation.percentile : 7),
  count: (outcome) => (outcome === 'accepted' ? 100 : outcome === 'unknown' ? 10 : 0),
  planned: 1_000,
  replies: 990,
  repliesPerSecond: 495,
  figure: (figure) => (figure === 'time_until_drained' ? 1_500 : null),
};

function parse(metric: string, expr: string): Threshold | { problem: string } {
  const source = parseMetric(metric);
  return 'problem' in source ? source : parseThreshold(metric, source, expr);
}

function evaluate(metric: string, expr: string): { actual: number | null; ok: boolean } {
  const threshold = parse(metric, expr);
  if ('problem' in threshold) throw new Error(threshold.problem);
  const [result] = evaluateThresholds([threshold], RUN);
  expect(result).toMatchObject({ metric, expr });
  return { actual: result!.actual, ok: result!.ok };
}

test.each([
  ['http_req_duration{outcome:accepted}', 'p(99)<200', 99, true],
  ['http_req_duration{outcome: accepted}', 'p(99.9) <= 99.8', 99.9, false],
  ['http_req_duration', 'med==50', 50, true],
  ['http_req_duration', 'avg>=7', 7, true],
  ['outcome_accepted', 'count==100', 100, true],
  ['outcome_accepted', 'count!=100', 100, false],
  ['outcome_unknown', 'rate<0.01', 0.01, false],
  ['http_req_failed', 'rate<=0.01', 0.01, true],
  ['http_reqs', 'rate>400', 495, true],
  ['dropped_iterations', 'count==0', 0, true],
  ['time_until_drained', 'value<2000', 1_500, true],
])('%s %s: %d, %s', (metric, expr, actual, ok) => expect(evaluate(metric, expr)).toEqual({ actual, ok }));

describe('a threshold on something that never happened fails', () => {
  test.each([
    ['http_req_duration{outcome:sold_out}', 'p(99)<200'],
    ['issue_rate', 'value>0'],
  ])('%s %s', (metric, expr) => expect(evaluate(metric, expr)).toEqual({ actual: null, ok: false }));
});

describe('refused when it is read', () => {
  test.each([
    ['http_req_durations', 'p(99)<1', 'there is no metric "http_req_durations"; did you mean "http_req_duration"?'],
    ['http_req_duration{outcome:unknown}', 'max<1', 'there is no metric'],
    ['outcome_accepted', 'p(99)<1', 'outcome_accepted has no "p(99)"; it has count, rate'],
    ['http_req_duration', 'count<1', 'http_req_duration has no "count"'],
    ['accept_rate', 'rate>1', 'accept_rate has no "rate"; it has value'],
    ['outcome_accepted', 'count = 1', 'is not a threshold'],
    ['outcome_accepted', 'count<1 or true', 'is not a threshold'],
    ['http_req_duration', 'p(101)<1', 'is not a threshold'],
    ['http_req_duration', 'p(99)<-1', 'is not a threshold'],
  ])('%s %s', (metric, expr, problem) => expect(parse(metric, expr)).toEqual({ problem: expect.stringContaining(problem) }));
});

test('every metric that is suggested exists', () => {
  for (const metric of METRICS) expect(parseMetric(metric)).toHaveProperty('kind');
});
