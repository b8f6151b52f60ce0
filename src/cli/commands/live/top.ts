import { systemClock } from '../../../lib/clock.ts';
import { frameOf, type FrameOptions } from '../../../operate/live/frame.ts';
import type { LiveView } from '../../../operate/live/live-view.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../../output/time-zone.ts';
import { STATE_ABOUT, STATE_FLAG, statesOf } from '../../output/states.ts';
import { filtered, intervalOf, openLook } from './look.ts';
import { showOnScreen } from './on-screen.ts';

const EXAMPLES = `
Examples:
  coupon-cli top                                   all campaigns, until q or Ctrl+C
  coupon-cli top --interval 5s --state open,paused
  coupon-cli top --once                            one frame, with the rates of one interval
  coupon-cli top --json | jq -c '.totals'          one object a line

Keys: q quits, the arrows, Page Up, Page Down, Home and End scroll. Off a terminal it prints a frame for each interval, without control
sequences. Rates are those of the last ten seconds. Every look makes the same number of calls however many users wait.`;

/** Cells of a frame that goes to a file or a pipe. */
const PLAIN_WIDTH = 120;

export const configure: Configure = (command, cli) => {
  command
    .option('--interval <duration>', 'time between two looks (default 1s)')
    .option(STATE_FLAG, STATE_ABOUT)
    .option('--once', 'one frame')
    .option(ZONE_FLAG, ZONE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const intervalMs = intervalOf(flags);
        const options = { states: statesOf(flags), zone: context.zone ?? 'UTC' };
        const { env, out } = context;
        const takesScreen = !flags.once && !out.json && env.stdout.isTTY && env.vars['TERM'] !== 'dumb';
        const stop = context.stopSignal(!takesScreen);
        const look = await openLook(context, 'top');
        if (flags.once) await showOnce(context, look, intervalMs, options, stop);
        else if (takesScreen) await showOnScreen(context, look, intervalMs, options, stop);
        else await showPlain(context, look, intervalMs, options, stop);
      });
    });
};

type Shown = Pick<FrameOptions, 'states' | 'zone'>;

/** A rate needs two looks. */
async function showOnce(
  context: Context,
  look: () => Promise<LiveView>,
  intervalMs: number,
  options: Shown,
  stop: AbortSignal,
): Promise<void> {
  const first = await look();
  await systemClock.sleep(intervalMs, stop);
  const view = stop.aborted ? first : await look();
  context.out.data(filtered(view, options.states), () => plainFrame(context, view, options));
}

async function showPlain(
  context: Context,
  look: () => Promise<LiveView>,
  intervalMs: number,
  options: Shown,
  stop: AbortSignal,
): Promise<void> {
  const stopped = new Promise<null>((resolve) => stop.addEventListener('abort', () => resolve(null), { once: true }));
  while (!stop.aborted) {
    const view = await Promise.race([look(), stopped]);
    if (view === null) return;
    context.out.item(filtered(view, options.states), () => `${plainFrame(context, view, options)}\n\n`);
    await systemClock.sleep(intervalMs, stop);
  }
}

function plainFrame({ env, out }: Context, view: LiveView, options: Shown): string {
  const width = env.stdout.columns || PLAIN_WIDTH;
  return frameOf(view, { ...options, width, height: null, offset: 0 }, out.paint).lines.join('\n');
}
