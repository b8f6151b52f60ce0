import { readForeignTime } from '../../campaign/foreign-time.ts';
import { printable } from '../../lib/text/visible.ts';
import { badImport, type Field } from './formats.ts';

/** Microseconds since 1970. A coarse clock makes the request longer, never shorter: nobody is then accused of overtaking. */
export function timesOf(cell: (field: Field) => string | null, line: number): { sentUs: number; doneUs: number } {
  const sent = timeOf(cell('sent'), line);
  const done = timeOf(cell('done'), line);
  const elapsed = cell('elapsed');
  const elapsedUs = elapsed !== null && /^\d+(\.\d+)?$/.test(elapsed) ? 1_000 * Number(elapsed) : Number.NaN;
  const sentUs = sent ? sent.us : done ? done.us - elapsedUs : Number.NaN;
  const doneUs = done ? done.us + done.stepUs : sent ? sent.us + elapsedUs + sent.stepUs + 1_000 : Number.NaN;
  return { sentUs, doneUs };
}

function timeOf(text: string | null, line: number): { us: number; stepUs: number } | null {
  if (text === null) return null;
  const time = readForeignTime(text);
  if (time.kind === 'none') return null;
  if (time.kind !== 'time')
    throw badImport(`line ${line}: "${printable(text, 40)}" is no time`, 'Map the column of the time, such as --map sent=started_at.');
  const fraction = /[.,](\d+)/.exec(text)?.[1]?.length ?? 0;
  const digits = /^\d+$/.test(text) ? Math.max(0, text.length - 10) : fraction;
  return { us: time.us, stepUs: 10 ** Math.max(0, 6 - digits) };
}
