import type { BenchReport } from './report.ts';
import { LATENCY_HEADS, outcomeRows } from './outcomes.ts';
import { generatorLines, sampleText, throughputLines } from './summary.ts';
import { verdictLineText, verdictWords } from './verdict-text.ts';
import { visible } from '../../lib/text/visible.ts';
import { couponsText, shownChecks } from './shown-checks.ts';
import { disruptionLines, shownNotes } from './disruptions.ts';
import { requestLines, requestsText } from './requests.ts';
import { checkText, noteText, reasonText, roundsText } from './words.ts';
import { figure, plural } from '../../lib/text/figures.ts';
import { painter } from '../../lib/text/style.ts';

const MARKS = { pass: '✅', fail: '❌', not_checked: '❔', not_exercised: '⚪' } as const;
const SIGNS = { good: '✅', bad: '❌', open: '❔' } as const;
const PLAIN = painter(false);

/** A report for the summary page of a CI job (GitHub's Markdown). */
export function benchMarkdown(report: BenchReport): string {
  const { scenario, verdict, exitCode, thresholds } = report;
  const coupons = text(couponsText(scenario.coupons));
  const met = thresholds.length === 0 ? '' : `, thresholds ${verdict.thresholds === 'pass' ? '✅ met' : '❌ **missed**'}`;
  return [
    `## bench: ${text(scenario.name)}`,
    `Integrity ${proof(report)}${met} (exit code ${exitCode})`,
    `${coupons}; ${plural(scenario.users, 'user')}, ${requestsText(report)} → ${text(scenario.target)}`,
    report.rounds ? roundsText(report.rounds) : '',
    integrity(report),
    thresholds.length > 0 ? table(['', 'threshold', 'was'], thresholdRows(report)) : '',
    table(
      ['outcome', 'count', ...LATENCY_HEADS],
      outcomeRows(report).map((row) => [text(row.outcome), row.count, ...row.latency]),
      1,
    ),
    list([...[...requestLines(report), ...throughputLines(report)].map((line) => line.join(': ')), ...generatorLines(report, PLAIN)]),
    titled('Disruptions', disruptionLines(report)),
    titled('Notes', shownNotes(report).map(noteText)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function proof(report: BenchReport): string {
  const words = verdictWords(report);
  return `${SIGNS[words.look]} ${words.look === 'bad' ? '**broken**' : text(verdictLineText(words))}`;
}

function integrity(report: BenchReport): string {
  const rows = shownChecks(report).map((result) => {
    const coupon = result.of === '' ? '' : ` (${result.of})`;
    const why = result.reason === null ? '' : `: ${reasonText(result)}`;
    const who = result.sample.length === 0 ? '' : ` [${sampleText(result)}]`;
    return [MARKS[result.status], text(`${checkText(result.check, report.scenario)}${coupon}${why}${who}`)];
  });
  return table(['', 'integrity'], rows);
}

function thresholdRows({ thresholds }: BenchReport): string[][] {
  return thresholds.map(({ metric, expr, actual, ok }) => [
    MARKS[ok ? 'pass' : 'fail'],
    text(`${metric} ${expr}`),
    actual === null ? 'nothing to measure' : figure(actual),
  ]);
}

/** @param left how many columns from the left are words; the rest are figures */
function table(heads: readonly string[], rows: readonly string[][], left = heads.length): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_head, index) => (index < left ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function titled(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n\n${list(lines)}`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${text(line)}`).join('\n');
}

/** What means something in Markdown or HTML is escaped; user ids and targets may hold anything. */
function text(words: string): string {
  return visible(words.replaceAll(/\s+/g, ' ')).replaceAll(/[\\`*_{}[\]<>|~#]/g, String.raw`\$&`);
}
