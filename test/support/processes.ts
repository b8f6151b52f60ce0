import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './end-with-us.ts';

export const BIN = fileURLToPath(new URL('../../bin/coupon-cli.js', import.meta.url));

export interface Finished {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  stdout(): string;
  finished: Promise<Finished>;
}

export interface StartOptions {
  bin?: string;
  cwd?: string;
  env?: Record<string, string>;
}

/** Points at stores, or says how the output is to look: `CI` takes animation away, also in a real terminal. */
const SETTINGS = /^(REDIS_URL$|DATABASE_URL$|PG|COUPON_|NO_COLOR$|FORCE_COLOR$|CI$|GITHUB_|COLUMNS$|LINES$)/;

/** The test's own environment without those settings, so that a test sees the same at a desk and in CI. */
export function cleanEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)));
}

/** Starts the built program as a user would, in a clean environment. */
export function start(argv: readonly string[], { bin = BIN, cwd, env = {} }: StartOptions = {}): Running {
  const child = spawn(process.execPath, [bin, ...argv], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  return { child, stdout: () => stdout, finished };
}

export function runToEnd(argv: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return start(argv, options).finished;
}
