/** Two reports side by side: what changed, and whether that is more than was allowed. */
import { changePercent, evaluateGate, figureOf, measured } from './gate.ts';
import type { Gate, GateResult } from './gate.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import type { Outcome } from '../../campaign/outcome.ts';
import type { Measurements } from '../scenario/thresholds.ts';
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
}

export interface ComparedFigure {
  metric: string;
  aggregation: string;
  /** Null when there was nothing of the kind. */
  before: number | null;
  after: number | null;
  changePercent: number | null;
}

const LATENCY = ['p(50)', 'p(90)', 'p(99)', 'p(99.9)', 'max'];

export function compareRuns(before: ComparedRun, after: ComparedRun, gates: readonly Gate[]): Comparison {
  const [first, second] = [figuresOf(before), figuresOf(after)];
  const failOn = gates.map((gate) => evaluateGate(gate, first, second));
  const wanted: [metric: string, aggregation: string][] = [
    ...OUTCOMES.filter((outcome) => first.count(outcome) + second.count(outcome) > 0).flatMap((outcome) => [
      [`outcome_${outcome}`, 'count'] as [string, string],
      ...(replied(before, outcome) || replied(after, outcome) ? LATENCY : []).map((aggregation): [string, string] => [
        `http_req_duration{outcome:${outcome}}`,
        aggregation,
      ]),
    ]),
    ['http_reqs', 'rate'],
    ['accept_rate', 'value'],
    ['issue_rate', 'value'],
    ['time_until_drained', 'value'],
  ];
  return {
    schemaVersion: 1,
    before: nameOf(before.report),
    after: nameOf(after.report),
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
  return { metric, aggregation, before: first, after: second, changePercent: changePercent(first, second) };
}

function nameOf({ scenario: { name, strategy, requests }, startedAt, verdict }: BenchReport): RunName {
  return { scenario: name, strategy, requests, startedAt, verdict };
}
