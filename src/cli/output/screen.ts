import { terminalText } from '../../lib/text/terminal.ts';
import type { Context } from '../context.ts';

/** Control sequences of xterm: the alternate screen (1049), the cursor (25) and the wrapping of lines that are too long (7). */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[2K';
const ERASE_BELOW = '\u001b[J';

/** Where the terminal does not say. */
const USUAL = { width: 80, height: 24 };

/** The whole terminal, from when it is opened until the command ends in whatever way. */
export interface Screen {
  readonly size: { width: number; height: number };
  draw(lines: readonly string[]): void;
  /** Gives the terminal back until {@link resume}. */
  pause(): void;
  resume(): void;
}

/**
 * Takes the terminal. What it showed before is there again afterwards.
 *
 * @param resized called when the size is another one
 */
export function openScreen(context: Context, resized: () => void): Screen {
  const { env, out } = context;
  const coloured = out.paint.bold('') !== '';
  let shown = false;
  const resume = (): void => {
    if (!shown) env.stdout.write(ENTER);
    shown = true;
  };
  const pause = (): void => {
    if (shown) env.stdout.write(LEAVE);
    shown = false;
  };
  // An error that is reported, and the end of the process, must find the usual screen.
  for (const stop of [env.onExit(pause), env.stdout.onResize(resized)]) context.onClose(stop);
  context.onClose(pause);
  resume();

  return {
    get size() {
      const { columns, rows } = env.stdout;
      return { width: columns || USUAL.width, height: rows || USUAL.height };
    },
    draw(lines) {
      if (!shown) return;
      // In one write, and over what is there: a screen that is cleared first flickers. A line is erased before it is written, because
      // one that is full leaves the cursor on its last cell.
      const drawn = lines.slice(0, this.size.height).map((line) => `${ERASE_LINE}${terminalText(line, coloured)}`);
      env.stdout.write(`${HOME}${drawn.join('\r\n')}${lines.length < this.size.height ? `\r\n${ERASE_BELOW}` : ''}`);
    },
    pause,
    resume,
  };
}
