import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { shellQuoted } from '../../src/lib/text/suggested-command.ts';
import { BIN, cleanEnvironment } from './processes.ts';
import { program } from './shells.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/** Null: it is not on this machine (Debian: `apt-get install tmux`). */
export const tmux = program('tmux');

interface Size {
  columns: number;
  rows: number;
}

/** A real terminal with a shell, in which a command was typed. */
export interface TestTerminal extends AsyncDisposable {
  /** Waits until the screen as one text is so. */
  shows(pattern: RegExp): Promise<string>;
  /** Keys by the names of tmux, or text. */
  press(...keys: string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Whether a program has the alternate screen, and whether the cursor is seen. */
  state(): Promise<{ alternate: boolean; cursor: boolean }>;
  /** The process id of the command. */
  pid(): Promise<number>;
  /** Takes the terminal away, as closing its window does. */
  hangUp(): Promise<void>;
}

interface Pane extends AsyncDisposable {
  home: string;
  ask(...args: string[]): Promise<string>;
}

/** A shell without anybody's settings, in a folder of its own that is first on the PATH. */
async function openPane({ columns, rows }: Size, more: Record<string, string> = {}): Promise<Pane> {
  const home = mkdtempSync(join(tmpdir(), 'coupon-terminal-'));
  const socket = `coupon-${randomUUID().slice(0, 8)}`;
  const env = { ...cleanEnvironment(), LC_ALL: 'C.UTF-8', HISTFILE: '', PATH: `${home}:${process.env['PATH'] ?? ''}`, ...more };
  const ask = async (...args: string[]): Promise<string> =>
    (await run(tmux!, ['-u', '-L', socket, '-f', '/dev/null', ...args], { env, cwd: home })).stdout;
  await ask('new-session', '-d', '-x', String(columns), '-y', String(rows), "exec env 'PS1=$ ' bash --norc --noprofile -i");
  return {
    home,
    ask,
    async [Symbol.asyncDispose]() {
      await ask('kill-server').catch(() => undefined);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function writeScript(file: string, argv: readonly string[]): void {
  writeFileSync(file, `#!/bin/sh\nexec ${[process.execPath, BIN, ...argv].map(shellQuoted).join(' ')} "$@"\n`);
  chmodSync(file, 0o755);
}

/** A shell that knows `coupon-cli`. */
export interface TestShell extends AsyncDisposable {
  /** Types a command, and waits until it has ended. @returns what stands below it, lines as long as they were written, and its exit code */
  type(command: string, timeoutMs?: number): Promise<{ shown: string; exitCode: number }>;
}

export async function openShell(size: Size, env: Record<string, string>): Promise<TestShell> {
  const pane = await openPane(size, { ...env, PROMPT_COMMAND: 'echo "$? $((ended += 1))" > ended' });
  const { home, ask } = pane;
  writeScript(join(home, 'coupon-cli'), []);
  const file = join(home, 'ended');
  const state = (): [number, number] => {
    const [exitCode, count] = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').map(Number) : [];
    return [exitCode ?? 0, count ?? 0];
  };
  await until(() => state()[1] > 0);
  return {
    async type(command, timeoutMs) {
      const [, before] = state();
      await ask('send-keys', '-R');
      await ask('clear-history');
      await ask('send-keys', '-l', command);
      await ask('send-keys', 'Enter');
      await until(() => state()[1] > before, timeoutMs);
      // The prompt comes after the note.
      let screen = '';
      const isBack = async (): Promise<boolean> => /\n\$ *\n*$/.test((screen = await ask('capture-pane', '-p', '-J', '-S', '-')));
      await until(isBack).catch(() => {
        throw new Error(`the prompt is not back:\n${screen}`);
      });
      const lines = screen.split('\n').map((line) => line.trimEnd());
      const below = lines.slice(lines.findIndex((line) => line.endsWith(command)) + 1);
      return { shown: below.join('\n').replace(/\n\$\n*$/, ''), exitCode: state()[0] };
    },
    [Symbol.asyncDispose]: () => pane[Symbol.asyncDispose](),
  };
}

/** Once the command has ended the screen shows `ended with 0`. */
export async function openTerminal(argv: readonly string[], size: Size): Promise<TestTerminal> {
  const pane = await openPane(size);
  const { home, ask } = pane;
  writeScript(join(home, 'run'), argv);
  const shell = (await ask('display-message', '-p', '#{pane_pid}')).trim();
  const press = async (...keys: string[]): Promise<void> => void (await ask('send-keys', ...keys));
  await press('echo before; ./run; echo ended with $?', 'Enter');
  return {
    async shows(pattern) {
      let last = '';
      const seen = async (): Promise<boolean> => pattern.test((last = await ask('capture-pane', '-p')));
      await until(seen).catch(() => {
        throw new Error(`${pattern} is not on the screen:\n${last}`);
      });
      return last;
    },
    press,
    resize: async (wide, high) => void (await ask('resize-window', '-x', String(wide), '-y', String(high))),
    async state() {
      const [alternate, cursor] = (await ask('display-message', '-p', '#{alternate_on} #{cursor_flag}')).trim().split(' ');
      return { alternate: alternate === '1', cursor: cursor === '1' };
    },
    pid: async () => Number((await run('ps', ['-o', 'pid=', '--ppid', shell])).stdout.trim()),
    hangUp: async () => void (await ask('kill-pane')),
    [Symbol.asyncDispose]: () => pane[Symbol.asyncDispose](),
  };
}
