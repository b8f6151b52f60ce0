import { systemClock } from '../../../lib/clock.ts';
import { frameOf, type Frame, type FrameOptions } from '../../../operate/live/frame.ts';
import type { LiveView } from '../../../operate/live/live-view.ts';
import type { Context } from '../../context.ts';
import { openScreen } from '../../output/screen.ts';

const KEYS = 'q quit';
const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

/** How far each key scrolls, in pages or in coupons. What a key sends is that of xterm, in its normal and its application mode. */
const SCROLL: Readonly<Record<string, (frame: Frame) => number>> = Object.fromEntries(
  (
    [
      [['\u001b[A', '\u001bOA', 'k'], ({ offset }) => offset - 1],
      [['\u001b[B', '\u001bOB', 'j'], ({ offset }) => offset + 1],
      [['\u001b[5~', 'b'], ({ offset, page }) => offset - page],
      [['\u001b[6~', ' '], ({ offset, page }) => offset + page],
      [['\u001b[H', '\u001bOH', '\u001b[1~', 'g'], () => 0],
      [['\u001b[F', '\u001bOF', '\u001b[4~', 'G'], () => Number.MAX_SAFE_INTEGER],
    ] as [string[], (frame: Frame) => number][]
  ).flatMap(([keys, move]) => keys.map((key) => [key, move] as const)),
);

/**
 * Draws the view over the whole terminal until a signal or a key ends it. The first look is made before the terminal is taken, so that a
 * store that is away at the start is told as by any other command.
 */
export async function showOnScreen(
  context: Context,
  look: () => Promise<LiveView>,
  intervalMs: number,
  options: Pick<FrameOptions, 'states' | 'zone'>,
  signalled: AbortSignal,
): Promise<void> {
  let view = await look();
  let frame: Frame = { lines: [], offset: 0, page: 1 };
  const quit = new AbortController();
  const stop = AbortSignal.any([signalled, quit.signal]);
  const stopped = new Promise<null>((resolve) => stop.addEventListener('abort', () => resolve(null), { once: true }));
  const { env, out } = context;

  const screen = openScreen(context, draw);
  function draw(): void {
    frame = frameOf(view, { ...options, ...screen.size, offset: frame.offset, keys: KEYS }, out.paint);
    screen.draw(frame.lines);
  }
  let ignoreKeys = env.onKeys(pressed);
  context.onClose(() => ignoreKeys());
  function pressed(key: string): void {
    if (key === 'q' || key === 'Q' || key === CTRL_C) return quit.abort();
    if (key === CTRL_Z) return suspend();
    const move = SCROLL[key];
    if (!move) return undefined;
    frame = { ...frame, offset: move(frame) };
    return draw();
  }
  /** The shell has the terminal until it lets us go on, which is where `kill` returns. */
  function suspend(): void {
    ignoreKeys();
    screen.pause();
    env.kill(0, 'SIGTSTP');
    screen.resume();
    ignoreKeys = env.onKeys(pressed);
    draw();
  }

  draw();
  for (;;) {
    await systemClock.sleep(intervalMs, stop);
    const next = stop.aborted ? null : await Promise.race([look(), stopped]);
    if (next === null) return;
    view = next;
    draw();
  }
}
