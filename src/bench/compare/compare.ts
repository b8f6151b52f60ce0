/** Two reports side by side: what changed, and whether that is more than was allowed. */
import { changePercent, durationOf, evaluateGates, figureOf, measured } from './gate.ts';
import type { Gate, GateResult } from './gate.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';
import type { Measurements, MetricSource } from '../scenario/thresholds.ts';
import { verdictWords } from '../report/verdict-text.ts';
import { measurements } from '../report/figures.ts';
import type { Latencies } from '../ports.ts';
import type { BenchReport } from '../report/report.ts';

export interface ComparedRun {
  report: BenchReport;
  /** From the histograms of the report. */
  latencies: Pick<Latencies, 'value'>;
}

/** What `bench compare --json` prints. */
export interface Comparison {
  schemaVersion: 1;
  before: RunName;
  after: RunName;
  /** What else was not the same: where it ran, and on what. */
  different: { name: string; before: string; after: string }[];
  figures: ComparedFigure[];
  failOn: GateResult[];
  /** 99 when a limit of `--fail-on` was hit. */
  exitCode: 0 | 99;
}

export interface RunName {
  scenario: string;
  strategy: BenchReport['scenario']['strategy'];
  requests: number;
  startedAt: string;
  verdict: BenchReport['verdict'];
  /** What the report says of integrity: `proven`. */
  proof: string;
}

export interface ComparedFigure {
  metric: string;
  aggregation: string;
  unit: 'ms' | '/s' | null;
  /** Null: neither is. */
  better: 'less' | 'more' | null;
  /** Null when there was nothing of the kind. */
  before: number | null;
  after: number | null;
  changePercent: number | null;
}

const LATENCY = ['p(50)', 'p(90)', 'p(99)', 'p(99.9)', 'max'];

export function compareRuns(before: ComparedRun, after: ComparedRun, gates: readonly Gate[]): Comparison {
  const [first, second] = [figuresOf(before), figuresOf(after)];
  const failOn = gates.flatMap((gate) => evaluateGates(gate, first, second));
  const wanted: [metric: string, aggregation: string][] = [
    ...OUTCOMES.filter((outcome) => first.count(outcome) + second.count(outcome) > 0).flatMap((outcome) => [
      [`outcome_${outcome}`, 'count'] as [string, string],
      ...(replied(before, outcome) || replied(after, outcome) ? LATENCY : []).map((aggregation): [string, string] => [
        durationOf(outcome),
        aggregation,
      ]),
    ]),
    ['http_reqs', 'rate'],
    ['accept_rate', 'value'],
    ['issue_rate', 'value'],
    ['time_until_drained', 'value'],
  ];
  // Nothing is judged that is not shown.
  for (const { metric, aggregation } of failOn)
    if (!wanted.some(([name, shown]) => name === metric && shown === aggregation)) wanted.push([metric, aggregation]);
  return {
    schemaVersion: 1,
    before: nameOf(before.report),
    after: nameOf(after.report),
    different: differences(before.report, after.report),
    figures: wanted.map(([metric, aggregation]) => compared(metric, aggregation, first, second)),
    failOn,
    exitCode: failOn.some(({ hit }) => hit) ? 99 : 0,
  };
}

const replied = ({ report }: ComparedRun, outcome: Outcome): boolean => report.latency[outcome] !== undefined;

function figuresOf({ report, latencies }: ComparedRun): Measurements {
  const { outcomes, throughput, scenario } = report;
  // Reports keep no histogram from when requests were due.
  const run = { latencies, fromPlanned: { value: () => null }, outcomes, planned: scenario.requests, throughput };
  return measurements(run);
}

function compared(metric: string, aggregation: string, before: Measurements, after: Measurements): ComparedFigure {
  const figure = figureOf(metric, aggregation);
  if ('problem' in figure) throw new Error(figure.problem);
  const [first, second] = [measured(figure, before), measured(figure, after)];
  const { unit, better } = natureOf(figure.source, aggregation);
  return { metric, aggregation, unit, better, before: first, after: second, changePercent: changePercent(first, second) };
}

/** Outcomes of which a service should have fewer. */
const UNWANTED: ReadonlySet<Outcome> = new Set(['unexpected', 'unavailable', 'unknown', 'unsent', 'busy', 'rate_limited']);

function natureOf(source: MetricSource, aggregation: string): Pick<ComparedFigure, 'unit' | 'better'> {
  switch (source.kind) {
    case 'latency':
      return { unit: 'ms', better: 'less' };
    case 'requests':
      return aggregation === 'rate' ? { unit: '/s', better: 'more' } : { unit: null, better: null };
    case 'figure':
      return source.figure === 'time_until_drained' ? { unit: 'ms', better: 'less' } : { unit: '/s', better: 'more' };
    case 'failed':
      return { unit: null, better: 'less' };
    default:
      return { unit: null, better: UNWANTED.has(source.outcome) ? 'less' : null };
  }
}

function differences(before: BenchReport, after: BenchReport): Comparison['different'] {
  const of = ({ scenario, environment }: BenchReport): Record<string, string> => ({ target: scenario.target, ...environment });
  const [first, second] = [of(before), of(after)];
  return [...new Set([...Object.keys(first), ...Object.keys(second)])]
    .map((name) => ({ name, before: first[name] ?? 'not known', after: second[name] ?? 'not known' }))
    .filter((one) => one.before !== one.after);
}

function nameOf(report: BenchReport): RunName {
  const { scenario, startedAt, verdict } = report;
  const { name, strategy, requests } = scenario;
  return { scenario: name, strategy, requests, startedAt, verdict, proof: verdictWords(report).integrity };
}
