import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** Once the command has ended the screen shows `ended with 0`. */
export async function openTerminal(argv: readonly string[], size: { columns: number; rows: number }): Promise<TestTerminal> {
  const home = mkdtempSync(join(tmpdir(), 'coupon-terminal-'));
  const script = join(home, 'run');
  writeFileSync(script, `#!/bin/sh\nexec ${[process.execPath, BIN, ...argv].map(shellQuoted).join(' ')}\n`);
  chmodSync(script, 0o755);
  const socket = `coupon-${randomUUID().slice(0, 8)}`;
  const env = { ...cleanEnvironment(), LC_ALL: 'C.UTF-8', PS1: '$ ', HISTFILE: '' };
  const ask = async (...args: string[]): Promise<string> =>
    (await run(tmux!, ['-u', '-L', socket, '-f', '/dev/null', ...args], { env, cwd: home })).stdout;
  const [columns, rows] = [String(size.columns), String(size.rows)];
  await ask('new-session', '-d', '-x', columns, '-y', rows, 'bash --norc --noprofile -i');
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
    async [Symbol.asyncDispose]() {
      await ask('kill-server').catch(() => undefined);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
