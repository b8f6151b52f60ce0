import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { StackPaths } from './paths.ts';

/** What a stack remembers about one of its servers between two commands. */
export interface StoreRecord {
  port: number;
  /** The route that won, for people: "redis-server on PATH". */
  how: string;
  /** Whether the server runs in Docker. */
  container: boolean;
}

export interface StackState {
  redis?: StoreRecord;
  postgres?: StoreRecord;
}

/**
 * Each stack has passwords of its own, new ones at each start of a stopped server. Loopback is open to every user of the machine, and a
 * Redis without password lets any of them write files as the user who runs it.
 */
export interface Secrets {
  redis: string;
  postgres: string;
}

/** A missing or broken file is an empty state: the data folders and the running servers are what counts. */
export function readState(paths: StackPaths): StackState {
  return (readJson(paths.state) as StackState | null) ?? {};
}

export function rememberStore(paths: StackPaths, store: keyof StackState, record: StoreRecord): void {
  writeJson(paths.state, { ...readState(paths), [store]: record });
}

export function readSecrets(paths: StackPaths): Secrets | null {
  return readJson(paths.secrets) as Secrets | null;
}

export function readOrCreateSecrets(paths: StackPaths): Secrets {
  const known = readSecrets(paths);
  if (known !== null) return known;
  const fresh = { redis: newPassword(), postgres: newPassword() };
  writeJson(paths.secrets, fresh);
  return fresh;
}

/** Written to the file before the server gets it: whenever this process is killed, the next one knows the password. */
export function renewSecret(paths: StackPaths, secrets: Secrets, store: keyof Secrets): void {
  secrets[store] = newPassword();
  writeJson(paths.secrets, secrets);
}

function newPassword(): string {
  return randomBytes(18).toString('hex');
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** By renaming: a reader never sees half a file, and neither does the next start after a crash. */
function writeJson(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
