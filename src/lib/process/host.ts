/**
 * Everything outside the program that the local stack needs to know or to do.
 *
 * One file of the project knows `process`; it builds a Host from it. Tests build their own, for example with another user id.
 */
export interface Host {
  /** As `process.platform`: `linux`, `darwin`, … */
  platform: string;
  /** As `process.arch`: `x64`, `arm64`, … */
  arch: string;
  pid: number;
  /** The user who runs this, or null where the system has no such number (Windows). */
  uid: number | null;
  gid: number | null;
  /** The folders to look for programs in, as in PATH. */
  path: string;
  tmpDir: string;
  /** The environment that package managers and Docker get: proxies and their own settings live there. Servers do not get it. */
  env: Readonly<Record<string, string | undefined>>;
  /** As `process.kill`: throws when there is no such process (ESRCH) or when it is not ours to signal (EPERM). */
  kill(pid: number, signal: NodeJS.Signals | 0): void;
}

/** Receives one line of progress; a stack that is there already says nothing. */
export type Log = (line: string) => void;

export function isRoot(host: Host): boolean {
  return host.uid === 0;
}

/** The short environment that servers are started with: a person's PG* or LD_* settings must not change how they behave. */
export function serverEnvironment(host: Host, extra: Record<string, string> = {}): Record<string, string> {
  return { PATH: host.path, LC_ALL: 'C', TZ: 'UTC', ...extra };
}
