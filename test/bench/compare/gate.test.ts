import { describe, expect, test } from 'vitest';
import { evaluateGates, parseGate } from '../../../src/bench/compare/gate.ts';
import type { Gate } from '../../../src/bench/compare/gate.ts';
import type { Measurements } from '../../../src/bench/scenario/thresholds.ts';

function gate(text: string): Gate {
  const parsed = parseGate(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

/** A run in which every latency is the same, and half of the requests were accepted. */
const run = (ms: number | null, perSecond: number | null = 100): Measurements => ({
  latency: () => ms,
  count: () => 50,
  planned: 100,
  replies: 100,
  repliesPerSecond: perSecond,
  figure: () => perSecond,
});

describe('a limit is read', () => {
  test.each([
    ['p(99)>+10%', 'http_req_duration', { kind: 'percentile', percentile: 99 }, 10, true],
    [' p( 99.9 ) >= 5 ', 'http_req_duration', { kind: 'percentile', percentile: 99.9 }, 5, false],
    [
      'http_req_duration{outcome:accepted}: p(99)>+5',
      'http_req_duration{outcome:accepted}',
      { kind: 'percentile', percentile: 99 },
      5,
      false,
    ],
    [
      'http_req_duration{outcome:accepted} med > 0.5 %',
      'http_req_duration{outcome:accepted}',
      { kind: 'percentile', percentile: 50 },
      0.5,
      true,
    ],
    ['http_reqs:rate<-10%', 'http_reqs', { kind: 'rate' }, -10, true],
    ['outcome_unexpected: count>0', 'outcome_unexpected', { kind: 'count' }, 0, false],
    ['accept_rate<-10%', 'accept_rate', { kind: 'value' }, -10, true],
  ])('%s', (text, metric, aggregation, limit, relative) => {
    expect(gate(text)).toMatchObject({ expr: text.trim(), figure: { metric, aggregation }, limit, relative });
  });

  test.each([
    ['', 'is not a limit'],
    ['p(99)', 'is not a limit'],
    ['p(99)==10%', 'is not a limit'],
    ['p(99)>10%%', 'is not a limit'],
    ['p(101)>10%', 'is not a threshold'],
    ['http_req_duratoin: p(99)>10%', 'did you mean'],
    ['http_reqs: p(99)>10%', 'http_reqs has no'],
    ['http_reqs<-10%', 'http_reqs has no'],
    ['http_req_duration_planned: p(99)>10%', 'keep no histogram'],
  ])('"%s" is refused', (text, problem) => expect(parseGate(text)).toEqual({ problem: expect.stringContaining(problem) }));
});

describe('a limit is hit', () => {
  test.each([
    ['p(99)>+10%', 100, 110, false],
    ['p(99)>=10%', 100, 110, true],
    ['p(99)>+10%', 100, 111, true],
    ['p(99)>+10%', 100, 50, false],
    ['p(99)<-10%', 100, 89, true],
    ['p(99)<=-10%', 100, 90, true],
    ['p(99)>+10', 100, 111, true],
    ['p(99)>+10', 100, 109, false],
    ['p(99)>0', 0, 0, false],
    ['p(99)>+10%', 0, 0, false],
  ])('%s from %d to %d: %s', (text, before, after, hit) => {
    expect(evaluateGates(gate(text), run(before), run(after))[0]).toMatchObject({ before, after, hit });
  });

  test('when there is nothing to measure, or nothing to start from: what cannot be told has not been kept', () => {
    expect(evaluateGates(gate('p(99)>+10%'), run(null), run(5))[0]).toMatchObject({ before: null, change: null, hit: true });
    expect(evaluateGates(gate('p(99)>+10'), run(5), run(null))[0]).toMatchObject({ after: null, change: null, hit: true });
    expect(evaluateGates(gate('p(99)>+10%'), run(0), run(5))[0]).toMatchObject({ change: null, hit: true });
  });

  /** 100 accepted users, and 10,000 quick refusals that decide every figure of all together. */
  const sale = (accepted: number | null, soldOut: number | null): Measurements => ({
    ...run(soldOut),
    latency: (outcome) => (outcome === 'accepted' ? accepted : outcome === 'sold_out' ? soldOut : outcome === null ? soldOut : null),
  });

  test('each outcome is judged on its own when no metric is named', () => {
    expect(evaluateGates(gate('p(99)>+10%'), sale(253, 246), sale(325, 209))).toMatchObject([
      { metric: 'http_req_duration{outcome:accepted}', hit: true },
      { metric: 'http_req_duration{outcome:sold_out}', hit: false },
    ]);
    expect(evaluateGates(gate('http_req_duration: p(99)>+10%'), sale(253, 246), sale(325, 209))).toMatchObject([{ hit: false }]);
  });

  test('an outcome of one run alone is not judged, but for a run that accepted nobody', () => {
    expect(evaluateGates(gate('p(99)>+10%'), sale(253, null), sale(253, 5))).toMatchObject([{ before: 253, hit: false }]);
    expect(evaluateGates(gate('p(99)>+10%'), sale(253, 5), sale(null, 5))).toMatchObject([{ after: null, hit: true }, { hit: false }]);
  });
});
