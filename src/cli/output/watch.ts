import { systemClock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { isOutage, usageError } from '../../lib/errors.ts';
import { visible } from '../../lib/text/visible.ts';
import type { Paint } from '../../lib/text/style.ts';
import type { Answer } from '../../lib/text/table.ts';
import type { Context } from '../context.ts';

export interface WatchFlags {
  watch?: true | undefined;
  interval?: string | undefined;
}

const SHORTEST_MS = 100;

/**
 * Prints what `open`'s reader gives, once or with `--watch` again and again: redrawn on a terminal, appended elsewhere, one JSON
 * object a line with `--json`. The first signal ends it with 0. Stores that go away meanwhile are waited for.
 *
 * @throws CouponError `WATCH_USAGE`, `BAD_DURATION`, and whatever the first look throws
 */
export async function watch<T>(
  context: Context,
  flags: WatchFlags,
  open: () => Promise<() => Promise<T>>,
  text: (value: T, paint: Paint) => Answer,
): Promise<void> {
  const { out } = context;
  if (!flags.watch) {
    if (flags.interval !== undefined)
      throw usageError('WATCH_USAGE', '--interval belongs to --watch', 'Add --watch, or leave --interval out.');
    const value = await (await open())();
    out.data(value, (paint) => text(value, paint));
    return;
  }
  const intervalMs = parseDuration(flags.interval ?? '2s', '--interval');
  if (intervalMs < SHORTEST_MS)
    throw usageError('BAD_DURATION', `--interval: "${flags.interval}" is too short`, `Use at least ${SHORTEST_MS}ms.`);
  const stop = context.stopSignal();
  const stopped = new Promise<null>((resolve) => stop.addEventListener('abort', () => resolve(null), { once: true }));
  const read = await open();
  let away = false;
  for (let first = true; !stop.aborted; first = false) {
    try {
      // A store that hangs must not keep a signal waiting for as long as a statement may take.
      const look = read();
      look.catch(() => undefined);
      const value = await Promise.race([look, stopped]);
      if (value === null) break;
      if (away) out.note('the stores are back');
      away = false;
      out.clear();
      out.item(value, (paint) => dated(text(value, paint), paint));
    } catch (error) {
      if (first || !isOutage(error)) throw error;
      if (!away) out.warn(`a store is away, trying again: ${visible((error as Error).message)}`);
      away = true;
    }
    await systemClock.sleep(intervalMs, stop);
  }
}

function dated(answer: Answer, paint: Paint): Answer {
  const stamp = paint.dim(paint.time(new Date().toISOString()));
  return typeof answer === 'string' ? `${stamp}\n${answer}\n` : { ...answer, list: `${stamp}\n${answer.list}\n` };
}
