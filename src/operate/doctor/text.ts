import type { Paint } from '../../lib/text/style.ts';
import { docsLink } from '../../lib/docs.ts';
import { visible } from '../../lib/text/visible.ts';
import { wrapped } from '../../lib/text/width.ts';
import { VERDICTS, type Line, type Verdict } from './line.ts';

/** Columns of text beside the names, however narrow the terminal is. */
const LEAST_ROOM = 30;

const MARKS: Record<Verdict, (paint: Paint) => string> = {
  ok: (paint) => paint.green('✔'),
  warning: (paint) => paint.yellow('!'),
  problem: (paint) => paint.red('✘'),
  unknown: (paint) => paint.yellow('?'),
};

export function linesText(lines: readonly Line[], paint: Paint): string {
  const name = ({ check, where }: Line): string => [check.replaceAll('_', ' '), ...(where === null ? [] : [where])].join(' ');
  const column = 4 + Math.max(...lines.map((line) => name(line).length));
  const room = Math.max(LEAST_ROOM, (paint.layout.width ?? Number.POSITIVE_INFINITY) - column);
  const below = (text: string): string => `\n${' '.repeat(column)}${text}`;
  return lines
    .map((line) => {
      const [first, ...rest] = wrapped(visible(line.text), room);
      const advice = line.fix === null ? [] : [`fix: ${visible(line.fix)}`, `see: ${docsLink('doctor', line.check)}`];
      // What may be copied, a command or a link, stays on one line.
      const dim = advice.flatMap((text) => (/`|:\/\//.test(text) ? [text] : wrapped(text, room))).map(paint.dim);
      return `${MARKS[line.verdict](paint)} ${name(line).padEnd(column - 4)}  ${first}${[...rest, ...dim].map(below).join('')}`;
    })
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
