import { painter, type Paint } from '../lib/style.ts';
import type { Env, OutputStream } from './env.ts';

export interface OutputFlags {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  /** False after `--no-color`. */
  color?: boolean | undefined;
}

/** stdout carries data, stderr everything that is said about it. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** For what goes to stdout. */
  readonly paint: Paint;
  /** For what goes to stderr. */
  readonly notePaint: Paint;
  /** Whether stderr is a terminal on which a line may be drawn again and again. */
  readonly animated: boolean;
  readonly #env: Env;

  constructor(env: Env, flags: OutputFlags) {
    this.#env = env;
    this.json = flags.json === true;
    this.quiet = flags.quiet === true;
    this.paint = painter(!this.json && colours(env, env.stdout, flags));
    this.notePaint = painter(colours(env, env.stderr, flags));
    // At width 0 ora draws for ever (nestjs-doctor#314: 51 GB in one log).
    this.animated = !this.quiet && env.stderr.isTTY && env.stderr.columns > 0 && env.vars['TERM'] !== 'dumb' && !env.vars['CI'];
  }

  /** The answer of the command, as text or as one JSON document. */
  data(value: unknown, text: (paint: Paint) => string): void {
    this.#env.stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : ensureNewline(text(this.paint)));
  }

  /** One item of a stream: a line of text, or one JSON object a line. */
  item(value: unknown, text: (paint: Paint) => string): void {
    this.#env.stdout.write(this.json ? `${JSON.stringify(value)}\n` : ensureNewline(text(this.paint)));
  }

  /** A remark for people; silent with --quiet. */
  note(text: string): void {
    if (!this.quiet) this.#env.stderr.write(ensureNewline(text));
  }

  /** A remark that --quiet does not silence. */
  warn(text: string): void {
    this.#env.stderr.write(ensureNewline(`${this.notePaint.yellow('warning:')} ${text}`));
  }

  /** Clears the screen before a redraw, on a terminal only. */
  clear(): void {
    if (this.#env.stdout.isTTY && !this.json && this.#env.vars['TERM'] !== 'dumb') this.#env.stdout.write('\u001b[H\u001b[2J');
  }
}

function ensureNewline(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`;
}

/** NO_COLOR (no-color.org), FORCE_COLOR, TERM and --no-color; per stream. */
function colours(env: Env, stream: OutputStream, flags: OutputFlags): boolean {
  if (flags.color === false || env.vars['NO_COLOR']) return false;
  if (env.vars['FORCE_COLOR'] && env.vars['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY && env.vars['TERM'] !== 'dumb';
}
