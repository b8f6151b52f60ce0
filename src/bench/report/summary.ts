import type { BenchProgress } from '../run.ts';
import type { BenchReport } from './report.ts';
import { formatDuration } from '../../lib/duration.ts';
import { visibleValues, printable } from '../../lib/text/visible.ts';
import type { CheckResult } from '../checks/integrity.ts';
import { OUTCOMES } from '../../campaign/outcome.ts';
import { LATENCY_HEADS, outcomeRows } from './outcomes.ts';
import type { OutcomeRow } from './outcomes.ts';
import { verdictLineText, verdictWords } from './verdict-text.ts';
import type { VerdictWords } from './verdict-text.ts';
import { couponsText, shownChecks } from './shown-checks.ts';
import { disruptionLines, shownNotes } from './disruptions.ts';
import { requestLines, requestsText } from './requests.ts';
import { checkText, noteText, reasonText, roundsText } from './words.ts';
import { figure, number, plural } from '../../lib/text/figures.ts';
import { inset, type Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

/** A bench report for the terminal: first what must hold, then what was wished for, then the figures. */
export function benchSummary(given: BenchReport, paint: Paint): string {
  const report = visibleValues(given);
  const { scenario } = report;
  return [
    `${paint.bold(scenario.name)}  ${couponsText(scenario.coupons)}, ${plural(scenario.users, 'user')}\n${requestsText(report)} → ${scenario.target}`,
    section('ROUNDS', roundLines(report), paint),
    section('INTEGRITY', integrityLines(report, paint), paint),
    section('THRESHOLDS', thresholdLines(report, paint), paint),
    section('REQUESTS', inColumns(requestLines(report)), paint),
    section('OUTCOMES', outcomeLines(report, paint), paint),
    section('THROUGHPUT', inColumns(throughputLines(report)), paint),
    section('GENERATOR', generatorLines(report, paint), paint),
    section('DISRUPTIONS', disruptionLines(report), paint),
    section('NOTES', shownNotes(report).map(noteText), paint),
    verdictLine(report, paint),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function section(title: string, lines: string[], paint: Paint): string {
  return lines.length === 0 ? '' : [paint.bold(title), ...lines.map((line) => `  ${line}`)].join('\n');
}

function inColumns(lines: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function roundLines({ rounds }: BenchReport): string[] {
  return rounds ? [roundsText(rounds)] : [];
}

function integrityLines(report: BenchReport, paint: Paint): string[] {
  return shownChecks(report).map((result) => {
    const coupon = result.of === '' ? '' : ` (${result.of})`;
    const why = result.reason === null ? '' : `: ${reasonText(result)}`;
    const who = result.sample.length === 0 ? '' : paint.dim(` [${sampleText(result)}]`);
    return `${mark(result.status, paint)} ${checkText(result.check, report.scenario)}${coupon}${why}${who}`;
  });
}

/** A few names, and how many more there are. */
export function sampleText({ sample, count }: CheckResult): string {
  const shown = sample.slice(0, 5).map((id) => printable(id, 40));
  return count > shown.length ? `${shown.join(', ')}, … ${number(count - shown.length)} more` : shown.join(', ');
}

function mark(status: CheckResult['status'], paint: Paint): string {
  if (status === 'pass') return paint.green('✔');
  if (status === 'not_exercised') return paint.yellow('○');
  return status === 'fail' ? paint.red('✘') : paint.yellow('?');
}

function thresholdLines({ thresholds }: BenchReport, paint: Paint): string[] {
  return thresholds.map(({ metric, expr, actual, ok }) => {
    const value = actual === null ? 'nothing to measure' : figure(actual);
    return `${mark(ok ? 'pass' : 'fail', paint)} ${metric} ${expr} ${paint.dim(`(${value})`)}`;
  });
}

function outcomeLines(report: BenchReport, paint: Paint): string[] {
  const rows = outcomeRows(report);
  if (rows.length === 0) return [];
  const right = (head: string, value: (row: OutcomeRow) => string) => ({ head: head.toUpperCase(), value, align: 'right' as const });
  const columns = [
    { head: 'OUTCOME', value: (row: OutcomeRow) => row.outcome },
    right('count', (row) => row.count),
    right('share', (row) => row.share),
    ...LATENCY_HEADS.map((head, index) => right(head, (row) => row.latency[index]!)),
  ];
  return table(rows, columns, inset(paint, 2), { report: true }).split('\n');
}

/** One line for each rate, a name and a text. */
export function throughputLines({ throughput, coupons }: BenchReport): [name: string, text: string][] {
  const known = coupons.map((coupon) => coupon.issued).filter((count) => count !== null);
  const issued =
    known.length === 0
      ? 'how many is not known'
      : plural(
          known.reduce((sum, count) => sum + count, 0),
          'coupon',
        );
  const rate = (perSecond: number | null): string => (perSecond === null ? 'too short to say' : `${number(Math.round(perSecond))}/s`);
  const { seconds, requestsPerSecond, acceptsPerSecond, issuesPerSecond, timeUntilDrainedMs } = throughput;
  return [
    ['answered', `${number(Math.round(requestsPerSecond))}/s over ${formatDuration(seconds * 1_000)}`],
    ['accepted', rate(acceptsPerSecond)],
    ['issued', `${rate(issuesPerSecond)}, ${issued}`],
    ['drained', timeUntilDrainedMs === null ? 'not seen' : `${formatDuration(timeUntilDrainedMs)} after the first request`],
  ];
}

export function generatorLines({ generator }: BenchReport, paint: Paint): string[] {
  const { vus, eventLoopUtilization, eventLoopLagMs, startLagMs, cpuShare, reconnects, faults } = generator;
  const cpu = cpuShare === null ? '' : `, ${Math.round(cpuShare * 100)} % of a processor`;
  const lines = [
    `${plural(vus, 'virtual user')}; busy ${Math.round(eventLoopUtilization * 100)} % of the time${cpu}; lag p99 ${figure(eventLoopLagMs.p99)} ms, max ${figure(eventLoopLagMs.max)} ms`,
  ];
  if (startLagMs) lines.push(`requests left p99 ${figure(startLagMs.p99)} ms, max ${figure(startLagMs.max)} ms after they were due`);
  const named = Object.entries(faults).map(([fault, count]) => `${fault} ${number(count)}`);
  if (reconnects > 0) lines.push(`${plural(reconnects, 'connection')} made again`);
  if (named.length > 0) lines.push(paint.yellow(`faults: ${named.join(', ')}`));
  return lines;
}

function verdictLine(report: BenchReport, paint: Paint): string {
  const words = verdictWords(report);
  const colour = { good: paint.green, bad: paint.red, open: paint.yellow }[words.look];
  const thresholds = report.verdict.thresholds === 'pass' ? paint.green('met') : paint.red('MISSED');
  return `${paint.bold('VERDICT')}  integrity ${colour(words.integrity)}, thresholds ${thresholds} ${paint.dim(`(exit code ${report.exitCode})`)}${because(words)}`;
}

/** `nothing was proven: …` as a line of its own: it is the first thing to read of such a run. */
function because(words: VerdictWords): string {
  return words.why.length === 0 ? '' : `\n  ${verdictLineText(words)}`;
}

/** One line of what is going on, for a spinner or a log. */
export function benchProgressText(progress: BenchProgress): string {
  if (progress.step === 'probe') return 'checking that the target answers';
  if (progress.step === 'prepare') return `preparing users: ${number(progress.done)} of ${number(progress.of)}`;
  if (progress.step !== 'load' && progress.step !== 'settle') return 'comparing every request with both stores';
  if (progress.step === 'settle') {
    return `waiting for the drain: ${number(progress.waiting + progress.claimed)} left, ${number(progress.issued)} issued`;
  }
  const { planned, outcomes, elapsedMs, p99Ms, leftMs } = progress.load;
  const ended = OUTCOMES.reduce((sum, outcome) => sum + outcomes[outcome], 0);
  const rate = elapsedMs > 0 ? Math.round(ended / (elapsedMs / 1_000)) : 0;
  const counts = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map((outcome) => `${number(outcomes[outcome])} ${outcome}`);
  return [
    `${planned === null ? plural(ended, 'request') : `${number(ended)} of ${plural(planned, 'request')}`}, ${number(rate)}/s`,
    ...(p99Ms === null ? [] : [`p99 ${figure(p99Ms)} ms`]),
    ...(counts.length > 0 ? [counts.join(' ')] : []),
    ...(progress.stockLeft === null ? [] : [`${number(progress.stockLeft)} in stock`]),
    ...(leftMs === null ? [] : [`${formatDuration(leftMs)} left`]),
  ].join(' · ');
}
