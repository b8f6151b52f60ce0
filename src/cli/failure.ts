import { CouponError } from '../lib/errors.ts';
import { visible, visibleLines } from '../lib/text/visible.ts';
import type { Paint } from '../lib/text/style.ts';

/** Under the text of the first line: what a server or a file brought along cannot begin a line of its own. */
const CONTINUED = '       ';

/** What happened, why, what to do next, and the stable code. A stack only when asked for, or when the error was unforeseen. */
export function failureText(error: unknown, paint: Paint, debug: boolean): string {
  if (!(error instanceof CouponError)) {
    const text = error instanceof Error ? (debug ? (error.stack ?? error.message) : error.message) : String(error);
    return `${paint.red('error:')} ${visibleLines(text)}\n${paint.dim('This was not foreseen; --debug shows where it happened. [UNEXPECTED]')}\n`;
  }
  const lines = [`${paint.red('error:')} ${visible(error.message)} ${paint.dim(`[${error.code}]`)}`];
  if (error.why) lines.push(`  why: ${visibleLines(error.why, CONTINUED)}`);
  if (error.fix) lines.push(`  fix: ${visibleLines(error.fix, CONTINUED)}`);
  if (debug && error.stack) lines.push(paint.dim(`  ${visibleLines(error.stack)}`));
  return `${lines.join('\n')}\n`;
}

/** The same as a line of a log in JSON. */
export function failureLog(error: unknown, exitCode: number, nowMs: number): object {
  const { message } = error as Error;
  return { level: 'fatal', time: new Date(nowMs).toISOString(), ...failureJson(error, exitCode), msg: message };
}

export function failureJson(error: unknown, exitCode: number): object {
  if (!(error instanceof CouponError)) {
    return { error: { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) }, exitCode };
  }
  const { code, message, why, fix } = error;
  return { error: { code, message, ...(why ? { why } : {}), ...(fix ? { fix } : {}) }, exitCode };
}
