import type { CouponPass } from '../../../drain/coupon-pass.ts';
import type { DrainSettings } from '../../../drain/loop.ts';
import { LiveLine, PassLines } from '../../../drain/pass-lines.ts';
import type { Context } from '../../context.ts';
import { startProgress } from '../../output/progress.ts';

/** Off a terminal, a line at most this often. */
const LINE_EVERY_MS = 5_000;

/** Tells how a drain gets on. */
export interface Narrator {
  passed(passes: readonly CouponPass[]): void;
  /** For what else is said meanwhile. */
  aside(write: () => void): void;
  end(): void;
}

/**
 * On a terminal one live line; elsewhere a line every few seconds; with `verbose` one for each pass that did something. As JSON each
 * such pass is an object, where the drain has no end of its own.
 */
export async function narrate(context: Context, options: DrainSettings, verbose: boolean): Promise<Narrator> {
  const { out } = context;
  if (out.json && options.until === 'stopped') {
    const passed = (passes: readonly CouponPass[]): void => {
      for (const pass of passes) if (pass.issued + pass.reclaimed + pass.dead > 0) out.item({ event: 'pass', ...pass }, () => '');
    };
    return { passed, aside: (write) => write(), end: () => undefined };
  }
  if (out.animated && !verbose) {
    const progress = await startProgress(context, 'draining');
    const live = new LiveLine(performance.now());
    return {
      passed: (passes) => progress.update(live.text(passes, performance.now())),
      aside: (write) => progress.aside(write),
      end: () => progress.stop(),
    };
  }
  const lines = new PassLines(verbose ? 0 : LINE_EVERY_MS);
  const tell = (nowMs: number): void => {
    for (const line of lines.due(nowMs)) {
      if (options.until === 'stopped' && !out.quiet) out.item(null, () => line);
      else out.note(line);
    }
  };
  return {
    passed(passes) {
      for (const pass of passes) lines.add(pass);
      tell(performance.now());
    },
    aside: (write) => write(),
    end: () => tell(Number.POSITIVE_INFINITY),
  };
}
