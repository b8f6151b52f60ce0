import { compareStrategies, type StrategyRow } from './strategies.ts';
import type { BenchReport } from '../report/report.ts';
import type { Strategy } from '../../campaign/strategy.ts';
import { number } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

const WHAT: Record<Strategy, string> = {
  'rdb-lock': 'before Redis: every request locks the coupon’s row in PostgreSQL; the accepted are issued at once',
  'three-calls': 'three separate commands: EXISTS, HINCRBY, ZADD NX, one after the other',
  atomic: 'this program: one script in Redis decides, the drain issues',
};

/** Ways to decide on requests side by side: how fast, and whether their promises were kept. All figures are from these runs. */
export function strategyTable(reports: readonly BenchReport[], paint: Paint): string {
  const rows = compareStrategies(reports);
  const several = new Set(rows.map(({ scenario }) => scenario)).size > 1;
  const right = (head: string, value: (row: StrategyRow) => string) => ({ head, value, align: 'right' as const });
  const drawn = table(
    rows,
    [
      ...(several ? [{ head: 'SCENARIO', value: (row: StrategyRow) => row.scenario }] : []),
      { head: 'STRATEGY', value: (row) => row.strategy },
      right('ACCEPTED P50', ({ acceptedP50Ms }) => milliseconds(acceptedP50Ms)),
      right('P99', ({ acceptedP99Ms }) => milliseconds(acceptedP99Ms)),
      right('ANSWERED', ({ answeredPerSecond }) => rate(answeredPerSecond)),
      right('ACCEPTED', ({ acceptedPerSecond }) => rate(acceptedPerSecond)),
      right('OVER-ISSUED', ({ overIssued }) => count(overIssued)),
      right('TWICE', ({ acceptedTwice }) => count(acceptedTwice)),
      right('LEAKED', ({ leaked }) => count(leaked)),
      right('LOST', ({ lost }) => count(lost)),
      right('STOCK LEFT', ({ stock }) => count(stock)),
      { head: 'VERDICT', value: ({ verdict }) => VERDICTS[verdict] },
    ],
    paint,
    { report: true },
  );
  const shown = new Set(rows.map(({ strategy }) => strategy));
  const legend = [...shown].map((strategy) => paint.dim(`  ${strategy.padEnd(11)}  ${WHAT[strategy]}`));
  return [drawn, '', ...legend].join('\n');
}

const VERDICTS: Record<StrategyRow['verdict'], string> = {
  pass: '✔ proven',
  held: '✔ held',
  fail: '✘ BROKEN',
  inconclusive: '? not proven',
};

function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return `${value < 10 ? value.toFixed(1) : number(Math.round(value))} ms`;
}

function rate(perSecond: number | null): string {
  return perSecond === null ? '–' : `${number(Math.round(perSecond))}/s`;
}

function count(value: number | null): string {
  return value === null ? '?' : number(value);
}
