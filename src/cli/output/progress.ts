import type { Context } from '../context.ts';
import type { OutputStream } from '../env.ts';

/** A line on stderr that says how far something is. */
export interface Progress {
  update(text: string): void;
  /** Writes something else to stderr, and draws the line again below it. */
  aside(write: () => void): void;
  /** Takes the line away. */
  stop(): void;
}

/** Off a terminal, a line this often. */
const LINE_EVERY_MS = 5_000;

/**
 * A spinner on a terminal, a plain line every few seconds elsewhere, nothing with --quiet. Closed with the context at the
 * latest, so that a failure never leaves a hidden cursor behind.
 */
export async function startProgress(context: Context, text: string): Promise<Progress> {
  const { out, env } = context;
  if (!out.animated)
    return plainProgress(
      (line) => out.note(line),
      () => performance.now(),
    );
  const { default: ora } = await import('ora');
  const spinner = ora({
    text: out.shown(text),
    stream: terminal(env.stderr) as unknown as NodeJS.WritableStream,
    // `animated` has decided; ora's own guess loops for ever at width 0, and it does not know NO_COLOR.
    isEnabled: true,
    color: out.notePaint.dim('') === '' ? false : 'cyan',
    // Raw mode would swallow Ctrl+C before our own signal handling sees it.
    discardStdin: false,
  }).start();
  const stop = (): void => void spinner.stop();
  context.onClose(stop);
  const aside = (write: () => void): void => {
    spinner.clear();
    write();
    if (spinner.isSpinning) spinner.render();
  };
  return { update: (next) => (spinner.text = out.shown(next.replaceAll('\n', ' '))), aside, stop };
}

function plainProgress(write: (line: string) => void, now: () => number): Progress {
  let last = now();
  return {
    update(text) {
      if (now() - last < LINE_EVERY_MS) return;
      last = now();
      write(text);
    },
    aside: (action) => action(),
    stop: () => undefined,
  };
}

/** What ora wants of a terminal, in terms of the only stream that commands know. Codes: ECMA-48, CUP and EL. */
function terminal(stream: OutputStream): object {
  return {
    isTTY: true,
    get columns() {
      return stream.columns;
    },
    write(text: string) {
      stream.write(text);
      return true;
    },
    cursorTo: (column: number) => stream.write(`\u001b[${column + 1}G`),
    moveCursor: (_columns: number, rows: number) => stream.write(rows < 0 ? `\u001b[${-rows}A` : ''),
    clearLine: () => stream.write('\u001b[K'),
    once: () => undefined,
  };
}
