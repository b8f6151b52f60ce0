import { docsLink } from '../lib/docs.ts';
import { CouponError } from '../lib/errors.ts';
import { visible, visibleLines } from '../lib/text/visible.ts';
import type { Paint } from '../lib/text/style.ts';

/** Under the text of the first line: what a server or a file brought along cannot begin a line of its own. */
const CONTINUED = '       ';

/** The code of an error that is none of ours. */
export const UNEXPECTED = 'UNEXPECTED';

/** What happened, why, what to do next, the stable code, and where it is explained. A stack only when asked for. */
export function failureText(error: unknown, paint: Paint, debug: boolean): string {
  if (!(error instanceof CouponError)) {
    const text = error instanceof Error ? (debug ? (error.stack ?? error.message) : error.message) : String(error);
    return [
      `${paint.red('error:')} ${visibleLines(text)} ${paint.dim(`[${UNEXPECTED}]`)}`,
      '  fix: Unexpected error. Run again with --debug for a stack trace, and report it with that.',
      seeText(UNEXPECTED, paint),
      '',
    ].join('\n');
  }
  const lines = [`${paint.red('error:')} ${visible(error.message)} ${paint.dim(`[${error.code}]`)}`];
  if (error.why) lines.push(`  why: ${visibleLines(error.why, CONTINUED)}`);
  lines.push(`  fix: ${visibleLines(error.fix, CONTINUED)}`, seeText(error.code, paint));
  if (debug && error.stack) lines.push(paint.dim(`  ${visibleLines(error.stack)}`));
  return `${lines.join('\n')}\n`;
}

function seeText(code: string, paint: Paint): string {
  return `  see: ${paint.dim(docsLink('errors', code))}`;
}

/** The same as a line of a log in JSON. */
export function failureLog(error: unknown, exitCode: number, nowMs: number): object {
  const { message } = error as Error;
  return { level: 'fatal', time: new Date(nowMs).toISOString(), ...failureJson(error, exitCode), msg: message };
}

export function failureJson(error: unknown, exitCode: number): object {
  if (!(error instanceof CouponError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: { code: UNEXPECTED, message, docs: docsLink('errors', UNEXPECTED) }, exitCode };
  }
  const { code, message, why, fix } = error;
  return { error: { code, message, ...(why ? { why } : {}), fix, docs: docsLink('errors', code) }, exitCode };
}
