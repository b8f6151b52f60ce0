import { CouponError } from '../../lib/errors.ts';
import { visible } from '../../lib/text/visible.ts';
import type { Context } from '../context.ts';

/** The same fault is told once in this time, however many requests meet it. */
const TELL_EVERY_MS = 5_000;

/** Tells the operator of faults that requests met, each kind once in a while. */
export function throttledWarnings(context: Context): (error: unknown, requestId?: string) => void {
  const told = new Map<string, number>();
  return (error, requestId) => {
    const text =
      error instanceof CouponError
        ? `${visible(error.message)} [${error.code}]`
        : `unforeseen: ${(error as Error)?.stack ?? String(error)}`;
    const now = performance.now();
    if (now - (told.get(text) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    // Texts could differ without end; what was told long ago need not be kept.
    if (told.size >= 100) told.clear();
    told.set(text, now);
    context.out.warn(text, requestId === undefined ? {} : { requestId });
  };
}
