import type { Paint } from '../../lib/text/style.ts';
import { docsLink } from '../../lib/docs.ts';
import { visible } from '../../lib/text/visible.ts';
import { VERDICTS, type Line, type Verdict } from './line.ts';

const MARKS: Record<Verdict, (paint: Paint) => string> = {
  ok: (paint) => paint.green('✔'),
  warning: (paint) => paint.yellow('!'),
  problem: (paint) => paint.red('✘'),
  unknown: (paint) => paint.yellow('?'),
};

export function linesText(lines: readonly Line[], paint: Paint): string {
  const name = ({ check, where }: Line): string => [check.replaceAll('_', ' '), ...(where === null ? [] : [where])].join(' ');
  const width = Math.max(...lines.map((line) => name(line).length));
  return lines
    .flatMap((line) => [
      `${MARKS[line.verdict](paint)} ${name(line).padEnd(width)}  ${visible(line.text)}`,
      ...(line.fix === null
        ? []
        : [
            `  ${' '.repeat(width)}  ${paint.dim(`fix: ${visible(line.fix)}`)}`,
            `  ${' '.repeat(width)}  ${paint.dim(`see: ${docsLink('doctor', line.check)}`)}`,
          ]),
    ])
    .join('\n');
}

/** `20 ok, 1 warning, 1 problem`; what there is none of is left out. */
export function countsText(lines: readonly Line[]): string {
  const counts = VERDICTS.map((verdict) => [verdict, lines.filter((line) => line.verdict === verdict).length] as const);
  return counts
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}${count > 1 && (verdict === 'warning' || verdict === 'problem') ? 's' : ''}`)
    .join(', ');
}
