import type { Comparison, ComparedFigure, RunName } from './compare.ts';
import { visibleValues } from '../../lib/text/visible.ts';
import { figure } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

/** Two runs for the terminal: who they were, what changed, and what was not allowed to. */
export function benchComparison(comparison: Comparison, paint: Paint): string {
  const { before, after, figures, failOn } = visibleValues(comparison);
  const number = (value: number | null): string => (value === null ? '–' : figure(value));
  type Row = ComparedFigure;
  const rows = table(
    figures,
    [
      { head: 'METRIC', value: (row: Row) => (row.aggregation === 'value' ? row.metric : `${row.metric} ${row.aggregation}`) },
      { head: 'BEFORE', value: (row: Row) => number(row.before), align: 'right' },
      { head: 'AFTER', value: (row: Row) => number(row.after), align: 'right' },
      { head: 'CHANGE', value: (row: Row) => (row.changePercent === null ? '' : percent(row.changePercent)), align: 'right' },
    ],
    paint,
  );
  const limits = failOn.map(({ expr, before: was, after: is, change, hit }) => {
    const words = change === null ? 'nothing to measure in one of them, or nothing to start from' : `${number(was)} → ${number(is)}`;
    return `  ${hit ? paint.red('✘') : paint.green('✔')} ${expr} ${paint.dim(`(${words})`)}`;
  });
  return [
    `${paint.bold('BEFORE')}  ${runText(before)}\n${paint.bold('AFTER')}   ${runText(after)}`,
    rows,
    ...(limits.length > 0 ? [`${paint.bold('FAIL ON')}\n${limits.join('\n')}`] : []),
  ].join('\n\n');
}

function runText({ scenario, strategy, requests, startedAt, verdict }: RunName): string {
  const how = strategy === null ? '' : ` (${strategy})`;
  return `${scenario}${how}, ${figure(requests)} requests, ${startedAt}; integrity ${verdict.integrity}, thresholds ${verdict.thresholds}`;
}

function percent(change: number): string {
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  return `${sign}${figure(Math.abs(change))} %`;
}
