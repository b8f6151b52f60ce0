import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/cli/program.ts';
import { userName, type Env, type StopSignal } from '../../src/cli/env.ts';
import { testHost } from './host.ts';

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** stdout as JSON. */
  json<T = Record<string, unknown>>(): T;
}

export interface CliOptions {
  vars?: Record<string, string>;
  /** Folders to look for programs in; those of the tests unless given. */
  path?: string;
  cwd?: string;
  /** Of another checkout: its stacks are others. */
  packageDir?: string;
  stdin?: string;
  /** `stdout`: what is told beside the answer goes elsewhere. */
  tty?: boolean | 'stdout';
  columns?: number;
  rows?: number;
  /** Called with the way to send a signal, once the command listens for one. */
  onListen?: (send: (signal: StopSignal) => void) => void;
  onStdout?: (text: string) => void;
  onStderr?: (text: string) => void;
}

/** Runs a command line in this process, with everything around it replaced. The environment is empty unless given. */
export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const { tty = false } = options;
  const stream = (write: (text: string) => void, isTTY: boolean) => ({
    write,
    isTTY,
    columns: options.columns ?? 0,
    rows: options.rows ?? 0,
    onResize: () => () => undefined,
  });
  const env: Env = {
    ...testHost(options.path === undefined ? {} : { path: options.path }),
    argv,
    vars: options.vars ?? {},
    env: options.vars ?? {},
    cwd: options.cwd ?? '/',
    interactive: tty === true && options.stdin !== undefined,
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    stdout: stream((text) => {
      stdout += text;
      options.onStdout?.(text);
    }, tty !== false),
    stderr: stream((text) => {
      stderr += text;
      options.onStderr?.(text);
    }, tty === true),
    hostname: 'test',
    userName: userName(options.vars ?? {}),
    nodeVersion: process.versions.node,
    self: [process.execPath, fileURLToPath(new URL('../../bin/coupon-cli.js', import.meta.url))],
    packageDir: options.packageDir ?? fileURLToPath(new URL('../../', import.meta.url)),
    onSignal(listener) {
      options.onListen?.(listener);
      return () => undefined;
    },
    onKeys: () => () => undefined,
    onExit: () => () => undefined,
    exitNow: (code) => {
      throw new Error(`exit ${code}`);
    },
    lowerPriority: () => undefined, // the tests of this file go on afterwards
    cpuMicros: () => process.cpuUsage().user,
    monotonicMs: () => performance.now(),
  };
  const exitCode = await runCli(env);
  return { exitCode, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}

/** Arguments that point a command at test stores. */
export function at(stores: { redisUrl: string; databaseUrl: string }): string[] {
  return ['--redis-url', stores.redisUrl, '--database-url', stores.databaseUrl];
}
