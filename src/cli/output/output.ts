import { usageError } from '../../lib/errors.ts';
import { painter, type Layout, type Paint } from '../../lib/text/style.ts';
import type { Answer } from '../../lib/text/table.ts';
import { jsonText, terminalText } from '../../lib/text/terminal.ts';
import type { Env, OutputStream } from '../env.ts';
import type { MaskedEnv } from '../masked-env.ts';

export interface OutputFlags {
  json?: boolean | undefined;
  quiet?: boolean | undefined;
  /** False after `--no-color`. */
  color?: boolean | undefined;
  /** Of commands that show tables. */
  wide?: boolean | undefined;
  columns?: string | undefined;
}

/** Where remarks go instead of stderr, as lines of a log. */
export interface RemarkSink {
  info(text: string): void;
  warn(text: string, fields: object): void;
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
  get animated(): boolean {
    return this.#sink === null && this.#animated;
  }

  readonly #animated: boolean;
  #sink: RemarkSink | null = null;
  #time: Paint['time'] = (instant) => instant;
  readonly #env: MaskedEnv;
  readonly #coloured: { stdout: boolean; stderr: boolean };

  constructor(env: MaskedEnv, flags: OutputFlags) {
    this.#env = env;
    this.json = flags.json === true;
    this.quiet = flags.quiet === true;
    this.#coloured = { stdout: !this.json && colours(env, env.stdout, flags), stderr: colours(env, env.stderr, flags) };
    const layout = layoutOf(env, flags);
    // Other programs read what is between tabs.
    this.paint = painter(this.#coloured.stdout, layout, (instant) => (layout.tabs ? instant : this.#time(instant)));
    const noteLayout = { width: widthOf(env.stderr), tabs: false, wide: flags.wide === true, columns: null };
    this.notePaint = painter(this.#coloured.stderr, noteLayout, (instant) => this.#time(instant));
    // At width 0 ora draws for ever (nestjs-doctor#314: 51 GB in one log).
    this.#animated = !this.quiet && env.stderr.isTTY && env.stderr.columns > 0 && env.vars['TERM'] !== 'dumb' && !env.vars['CI'];
  }

  /** The answer of the command, as text or as one JSON document. Remarks about a list stand below it, or on stderr when it is piped. */
  data(value: unknown, text: (paint: Paint) => Answer): void {
    this.#print(value, text, 2);
  }

  /** As {@link data}, for a command that changes something: --quiet leaves the confirmation out, and the exit code says it all. What a dry run says was asked for. */
  done(value: unknown, text: (paint: Paint) => Answer, dryRun = false): void {
    if (this.json || !this.quiet || dryRun) this.data(value, text);
  }

  /** As {@link data}, for an answer that is made of secrets. */
  secretData(value: unknown, text: (paint: Paint) => Answer): void {
    this.#print(value, text, 2, this.#env.stdoutWithSecrets);
  }

  /** One item of a stream: a line of text, or one JSON object a line. */
  item(value: unknown, text: (paint: Paint) => Answer): void {
    this.#print(value, text);
  }

  /** From here on times are told so, wherever a person reads them. */
  tellTimes(time: Paint['time']): void {
    this.#time = time;
  }

  /** From here on remarks go there. */
  logTo(sink: RemarkSink): void {
    this.#sink = sink;
  }

  /** A remark for people; silent with --quiet. */
  note(text: string): void {
    if (this.quiet) return;
    if (this.#sink) this.#sink.info(text);
    else this.#env.stderr.write(ensureNewline(this.shown(text)));
  }

  /**
   * A remark that --quiet does not silence.
   *
   * @param fields for a log alone
   */
  warn(text: string, fields: object = {}): void {
    if (this.#sink) return this.#sink.warn(text, fields);
    // A line that data brought along must not pass for one of ours.
    const lines = text.replaceAll(/\n(?=\S)/g, '\n  ');
    this.#env.stderr.write(ensureNewline(this.shown(`${this.notePaint.yellow('warning:')} ${lines}`)));
    return undefined;
  }

  /** Text as it may stand on stderr. */
  shown(text: string): string {
    return terminalText(text, this.#coloured.stderr);
  }

  #print(value: unknown, text: (paint: Paint) => Answer, indent?: number, stdout = this.#env.stdout): void {
    if (this.json) {
      stdout.write(`${jsonText(value, indent)}\n`);
      return;
    }
    const answer = text(this.paint);
    const { list, remarks } = typeof answer === 'string' ? { list: answer, remarks: [] } : answer;
    const { tabs } = this.paint.layout;
    stdout.write(
      ensureNewline(terminalText((tabs ? [list] : [list, ...remarks].filter((part) => part !== '')).join('\n'), this.#coloured.stdout)),
    );
    if (tabs) for (const remark of remarks) this.note(remark);
  }

  /** Clears the screen before a redraw, on a terminal only. */
  clear(): void {
    if (this.#env.stdout.isTTY && !this.json && this.#env.vars['TERM'] !== 'dumb') this.#env.stdout.write('\u001b[H\u001b[2J');
  }
}

function ensureNewline(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`;
}

/** NO_COLOR (no-color.org), FORCE_COLOR, CLICOLOR_FORCE, TERM and --no-color; per stream. */
export function colours(env: Env, stream: OutputStream, flags: OutputFlags): boolean {
  if (flags.color === false || env.vars['NO_COLOR']) return false;
  if (['FORCE_COLOR', 'CLICOLOR_FORCE'].some((name) => env.vars[name] && env.vars[name] !== '0')) return true;
  return stream.isTTY && env.vars['TERM'] !== 'dumb';
}

/** @throws CouponError `COLUMNS_USAGE` */
function layoutOf({ stdout }: Env, { json, wide, columns }: OutputFlags): Layout {
  if (columns !== undefined && json)
    throw usageError('COLUMNS_USAGE', '--columns belongs to tables', 'Leave it out: --json has every field. jq picks some of them.');
  const names = columns?.split(',').map((name) => name.trim());
  return {
    width: widthOf(stdout),
    tabs: !stdout.isTTY,
    wide: wide === true,
    columns: names ?? null,
  };
}

/** Null: as wide as it gets. */
function widthOf({ isTTY, columns }: OutputStream): number | null {
  return isTTY && columns > 0 ? columns : null;
}
