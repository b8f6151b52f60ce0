import { execFile, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Host } from './host.ts';

/** Who a child runs as, when not as ourselves. */
export interface Identity {
  uid: number;
  gid: number;
  name: string;
}

export interface Output {
  /** Null when the program could not be run at all, or was stopped because it took too long. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env: Record<string, string | undefined>;
  timeoutMs: number;
  cwd?: string;
  as?: Identity | null;
  /** All of its standard input. A secret goes this way: a command line and an environment can be looked at. */
  input?: string;
}

/** Runs a program to its end. A failure is an answer here: it never throws. */
export async function run(command: string, args: string[], options: RunOptions): Promise<Output> {
  return await new Promise((resolve) => {
    const settings = {
      env: options.env,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: 64 * 1024 * 1024,
      cwd: options.cwd ?? '/',
      ...(options.as ? { uid: options.as.uid, gid: options.as.gid } : {}),
    };
    try {
      const child = execFile(command, args, settings, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
      });
      // A program that does not read it ends on its own account.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    } catch (error) {
      resolve({ code: null, stdout: '', stderr: (error as Error).message }); // a user that this system does not let us become
    }
  });
}

/** The last lines of what a program said, for an error message. */
export function lastLines(text: string, count = 4): string {
  return text.trim().split('\n').slice(-count).join('\n').trim();
}

export interface Launched {
  exited(): boolean;
}

/**
 * Starts a server that outlives us: a session of its own, so that a Ctrl-C at our terminal does not reach it, and none of our streams.
 */
export function launch(
  command: string,
  args: string[],
  options: { env: Record<string, string>; cwd: string; log: string; as?: Identity | null; input?: string },
): Launched {
  const log = openSync(options.log, 'a', 0o600);
  let over = false;
  try {
    const child = spawn(command, args, {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', log, log],
      ...(options.as ? { uid: options.as.uid, gid: options.as.gid } : {}),
    });
    child.on('exit', () => (over = true));
    child.on('error', () => (over = true));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.unref();
  } finally {
    closeSync(log);
  }
  return { exited: () => over };
}

/** The full path of the first of these programs that the PATH has. */
export function findOnPath(host: Host, names: string[]): string | null {
  const folders = host.path.split(':').filter((folder) => isAbsolute(folder));
  for (const name of names) {
    for (const folder of folders) {
      if (isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  return null;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
