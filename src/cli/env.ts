import { constants, hostname, setPriority, tmpdir, userInfo } from 'node:os';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CouponError } from '../lib/errors.ts';
import type { Host } from '../lib/process/host.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface OutputStream {
  write(text: string): unknown;
  /** When the reader has taken what was written, for those who write more than memory should hold. */
  drained?(): Promise<void>;
  readonly isTTY: boolean;
  /** 0 when the width is unknown. */
  readonly columns: number;
  /** 0 when the height is unknown. */
  readonly rows: number;
  /** Calls back when the terminal has another size; returns the way to stop listening. */
  onResize(listener: () => void): () => void;
}

/**
 * Everything outside of this program that a command can touch or be touched by. Tests replace it; the rest of the code
 * does not know `process`.
 */
export interface Env extends Host {
  /** Arguments after the program's name. */
  argv: readonly string[];
  /** Environment variables. */
  vars: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: Readable;
  /** A person sits at a terminal, and may be asked. */
  interactive: boolean;
  stdout: OutputStream;
  stderr: OutputStream;
  hostname: string;
  /** Who runs this: as the environment says, else as the system knows; a number where it knows no name. */
  userName: string;
  nodeVersion: string;
  /** How to start this same program as a child process: executable, then its first arguments. */
  self: readonly [string, ...string[]];
  /** Where the checkout or the installed package lies. */
  packageDir: string;
  /** Calls back for each signal; returns the way to stop listening. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /**
   * Calls back with each key that is pressed, which the terminal shows no more, and neither turns Ctrl+C into a signal: its text is then
   * `\u0003`. Returns the way to stop. Does nothing where stdin is no terminal.
   */
  onKeys(listener: (key: string) => void): () => void;
  /** Calls back when this process ends in any way but SIGKILL, before anything is said about why; returns the way to stop. */
  onExit(listener: () => void): () => void;
  /** Ends the process at once, for the second signal. */
  exitNow(code: number): void;
  /** From now on others on this machine get the processor first. There is no way back. */
  lowerPriority(): void;
  /** CPU time used so far, microseconds. */
  cpuMicros(): number;
  /** A clock that never steps, and that all processes of this machine share (on Linux CLOCK_MONOTONIC), milliseconds. */
  monotonicMs(): number;
}

export function systemEnv(): Env {
  endWithParent();
  const packageDir = fileURLToPath(new URL('../../', import.meta.url));
  return {
    argv: process.argv.slice(2),
    vars: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    pid: process.pid,
    hostname: hostname(),
    userName: userName(process.env),
    nodeVersion: process.versions.node,
    self: [process.execPath, fileURLToPath(new URL('../../bin/coupon-cli.js', import.meta.url))],
    packageDir,
    platform: process.platform,
    arch: process.arch,
    uid: process.getuid?.() ?? null,
    gid: process.getgid?.() ?? null,
    path: process.env['PATH'] ?? '',
    tmpDir: tmpdir(),
    env: process.env,
    kill: (pid, signal) => {
      process.kill(pid, signal);
    },
    onSignal(listener) {
      const onInt = (): void => listener('SIGINT');
      const onTerm = (): void => listener('SIGTERM');
      // A terminal that was closed ends a command as SIGTERM does: with everything put away.
      process.on('SIGINT', onInt).on('SIGTERM', onTerm).on('SIGHUP', onTerm);
      return () => void process.off('SIGINT', onInt).off('SIGTERM', onTerm).off('SIGHUP', onTerm);
    },
    onKeys: (listener) => listenForKeys(process.stdin, listener),
    onExit(listener) {
      // The monitor comes first: what is then said about the error must not go to a screen that is taken down.
      process.on('exit', listener).on('uncaughtExceptionMonitor', listener);
      return () => void process.off('exit', listener).off('uncaughtExceptionMonitor', listener);
    },
    exitNow: (code) => process.exit(code),
    lowerPriority: () => setPriority(constants.priority.PRIORITY_BELOW_NORMAL),
    cpuMicros: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    monotonicMs: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
  };
}

/** Containers, cron and systemd often set neither variable, and a container may run as a user without a name. */
export function userName(vars: Env['vars']): string {
  const name = vars['USER'] || vars['LOGNAME'] || vars['USERNAME'];
  if (name) return name;
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** A child of ours has a channel to its parent. It closes when the parent ends, however that comes about: then the child stops, too. */
function endWithParent(): void {
  if (!process.channel) return;
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

/** Somebody closed the pipe that we write to. */
let readerGone = false;

/**
 * What only tells has done its work, and ends with its own exit code. What runs until it is stopped was cut off: it ends as by SIGTERM,
 * with everything put away, and not with 0, so that whoever supervises it starts it again.
 */
function endInOrder(): void {
  if (process.listenerCount('SIGTERM') === 0) return;
  process.once('exit', () => {
    process.exitCode ||= 1;
  });
  process.emit('SIGTERM');
}

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that was closed: SIGHUP comes with it, and ends us in order.
    if (error.code === 'EIO') return;
    if (readerGone) return;
    if (error.code === 'EPIPE') {
      readerGone = true;
      endInOrder();
      return;
    }
    // Nothing can be said on a stderr that cannot be written.
    if (stream === process.stderr) process.exit(1);
    throw new CouponError({
      code: 'OUTPUT_LOST',
      kind: 'failure',
      message: `the output could not be written (${error.code ?? error.message})`,
      fix: 'Make room where stdout leads to. What the command changed stays changed.',
    });
  });
  return {
    write: (text) => stream.write(text),
    drained: async () => {
      // Nobody wants the rest of a list (`| head`).
      if (readerGone) process.exit(0);
      if (!stream.writableNeedDrain) return;
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve).once('error', () => resolve());
      });
    },
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns ?? 0;
    },
    get rows() {
      return stream.rows ?? 0;
    },
    onResize(listener) {
      stream.on('resize', listener);
      return () => void stream.off('resize', listener);
    },
  };
}

/** One character, or what a key sends that has none (ECMA-48: CSI and SS3 sequences). */
// oxlint-disable-next-line no-control-regex
const KEY = /\u001b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])|[^]/g;

function listenForKeys(stdin: NodeJS.ReadStream, listener: (key: string) => void): () => void {
  if (!stdin.isTTY) return () => undefined;
  // Several keys may come at once.
  const onData = (data: Buffer): void =>
    data
      .toString('latin1')
      .match(KEY)
      ?.forEach((key) => listener(key));
  stdin.setRawMode(true).on('data', onData).resume();
  return () => {
    stdin.off('data', onData).pause();
    stdin.setRawMode(false);
  };
}
