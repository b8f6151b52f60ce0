import type { Comparison, ComparedFigure, RunName } from './compare.ts';
import { changePercent, type GateResult } from './gate.ts';
import { visibleValues } from '../../lib/text/visible.ts';
import { figure, plural } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

/** Smaller changes are as often chance as not. */
const WORTH_TELLING_PERCENT = 5;

/** Two runs for the terminal: who they were, what changed, and whether that is more than was allowed. */
export function benchComparison(comparison: Comparison, paint: Paint): string {
  const { before, after, different, figures, failOn, exitCode } = visibleValues(comparison);
  type Row = ComparedFigure;
  const rows = table(
    figures,
    [
      { head: 'METRIC', value: (row: Row) => nameOf(row) },
      { head: 'BEFORE', value: (row: Row) => amount(row.before, row.unit), align: 'right' },
      { head: 'AFTER', value: (row: Row) => amount(row.after, row.unit), align: 'right' },
      { head: 'CHANGE', value: changeText, look: (row: Row) => changeLook(row, paint), align: 'right' },
    ],
    paint,
    { report: true },
  );
  const unitOf = (result: GateResult): Row['unit'] =>
    figures.find(({ metric, aggregation }) => metric === result.metric && aggregation === result.aggregation)?.unit ?? null;
  return [
    `${paint.bold('BEFORE')}  ${runText(before)}\n${paint.bold('AFTER')}   ${runText(after)}`,
    ...(different.length > 0
      ? [`${paint.bold('NOT THE SAME')}\n${different.map((one) => `  ${one.name}: ${one.before} → ${one.after}`).join('\n')}`]
      : []),
    rows,
    ...(failOn.length > 0
      ? [`${paint.bold('FAIL ON')}\n${failOn.map((result) => limitText(result, unitOf(result), paint)).join('\n')}`]
      : []),
    `${paint.bold('VERDICT')}  ${verdictText({ before, after, figures, failOn }, paint)} ${paint.dim(`(exit code ${exitCode})`)}`,
  ].join('\n\n');
}

function nameOf({ metric, aggregation }: Pick<ComparedFigure, 'metric' | 'aggregation'>): string {
  return aggregation === 'value' ? metric : `${metric} ${aggregation}`;
}

function amount(value: number | null, unit: ComparedFigure['unit']): string {
  if (value === null) return '–';
  return `${figure(value)}${unit === 'ms' ? ' ms' : (unit ?? '')}`;
}

function changeText({ changePercent: change }: ComparedFigure): string {
  return change === null ? '' : percent(change);
}

function changeLook(row: ComparedFigure, paint: Paint): ((text: string) => string) | undefined {
  const better = isBetter(row);
  return better === null ? undefined : better ? paint.green : paint.red;
}

/** Null: it is neither better nor worse, or by too little. */
function isBetter({ better, changePercent: change }: ComparedFigure): boolean | null {
  if (better === null || change === null || Math.abs(change) < WORTH_TELLING_PERCENT) return null;
  return better === 'less' ? change < 0 : change > 0;
}

function limitText({ expr, metric, before, after, change, hit }: GateResult, unit: ComparedFigure['unit'], paint: Paint): string {
  const rate = changePercent(before, after);
  const words =
    change === null
      ? `${amount(before, unit)} → ${amount(after, unit)}: nothing to measure in one of them, or nothing to start from`
      : `${amount(before, unit)} → ${amount(after, unit)}${rate === null ? '' : `, ${percent(rate)}`}`;
  const whole = expr.includes(metric) ? expr : `${metric}: ${expr}`;
  return `  ${hit ? paint.red('✘') : paint.green('✔')} ${whole} ${paint.dim(`(${words})`)}`;
}

function verdictText(
  { before, after, figures, failOn }: Pick<Comparison, 'before' | 'after' | 'figures' | 'failOn'>,
  paint: Paint,
): string {
  const proof = before.proof === after.proof ? '' : `; integrity ${before.proof} → ${after.proof}`;
  const hit = failOn.filter((result) => result.hit).length;
  if (hit > 0) return `${paint.red(`${hit} of ${plural(failOn.length, 'limit')} hit`)}${proof}`;
  if (failOn.length > 0) return `${paint.green(failOn.length === 1 ? 'within the limit' : `within all ${failOn.length} limits`)}${proof}`;
  const [better, worse] = [true, false].map((wanted) => figures.filter((row) => isBetter(row) === wanted).length);
  const many = (count: number): string => plural(count, 'figure');
  return `no limit was set; ${many(better!)} better and ${many(worse!)} worse by ${WORTH_TELLING_PERCENT} % or more${proof}`;
}

function runText({ scenario, strategy, requests, startedAt, verdict, proof }: RunName): string {
  const how = strategy === null ? '' : ` (${strategy})`;
  return `${scenario}${how}, ${plural(requests, 'request')}, ${startedAt}; integrity ${proof}, thresholds ${verdict.thresholds}`;
}

function percent(change: number): string {
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  return `${sign}${figure(Math.abs(change))} %`;
}
