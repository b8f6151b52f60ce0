import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { CouponError } from '../errors.ts';

export interface ChildOptions {
  /** Executable, then its first arguments. */
  command: readonly [string, ...string[]];
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** It reads its stdin, which stays open for as long as we live. */
  listens?: boolean;
  /** Called with every JSON line on stdout that has an `event`. */
  onEvent?: (event: Record<string, unknown>) => void;
  /** Called when it ends without having been asked to. */
  onDeath: (name: string, said: string) => void;
}

/** A command of this program in a process of its own. */
export interface Child {
  readonly pid: number | undefined;
  /** A line to its stdin, if it listens. */
  say(line: string): void;
  /** The first JSON line on stdout that has this `event`. @throws CouponError `CHILD_FAILED` when it ends first */
  event(name: string): Promise<Record<string, unknown>>;
  /** Asks it to finish, and makes it after `patienceMs`. */
  stop(this: void, patienceMs?: number): Promise<void>;
  /** At once, for when there is no time left. */
  kill(): void;
}

const REMEMBERED_LINES = 20;
const PATIENCE_MS = 15_000;

/**
 * Starts a child in a process group of its own: a Ctrl+C at the terminal goes to the whole group, and would stop the service
 * while the load on it still has to be verified.
 */
export function startChild(name: string, options: ChildOptions): Child {
  const [file, ...first] = options.command;
  const child = spawn(file, [...first, ...options.args], {
    cwd: options.cwd,
    env: { ...options.env },
    // The channel carries nothing: its end tells the child that we are gone, also when we were killed.
    stdio: [options.listens ? 'pipe' : 'ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  child.channel?.unref();
  const said: string[] = [];
  const waiting = new Map<string, (line: Record<string, unknown>) => void>();
  let stopping = false;
  createInterface({ input: child.stderr! }).on('line', (line) => {
    said.push(line);
    if (said.length > REMEMBERED_LINES) said.shift();
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const event = parseEvent(line);
    if (!event) return;
    options.onEvent?.(event);
    waiting.get(String(event['event']))?.(event);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      said.push(error.message);
      resolve();
    });
  });
  void ended.then(() => {
    if (!stopping) options.onDeath(name, said.join('\n'));
  });
  // A child that ended before reading it is reported by `ended`.
  child.stdin?.on('error', () => undefined);
  return {
    pid: child.pid,
    say: (line) => void child.stdin?.write(`${line}\n`),
    async event(wanted) {
      const heard = new Promise<Record<string, unknown>>((resolve) => waiting.set(wanted, resolve));
      const line = await Promise.race([heard, ended.then(() => null)]);
      waiting.delete(wanted);
      if (line) return line;
      throw new CouponError({
        code: 'CHILD_FAILED',
        kind: 'failure',
        message: `\`${name}\` ended before it was ready`,
        why: said.join('\n') || undefined,
        fix: 'What it said stands above. Run the command by itself to see more.',
      });
    },
    async stop(patienceMs = PATIENCE_MS) {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      const done = new AbortController();
      const late = sleep(patienceMs, undefined, { signal: done.signal }).then(
        () => child.kill('SIGKILL'),
        () => false,
      );
      await closed;
      done.abort();
      await late;
    },
    kill() {
      stopping = true;
      child.kill('SIGKILL');
    },
  };
}

function parseEvent(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
