import { readFileSync, statSync } from 'node:fs';
import { CouponError } from '../lib/errors.ts';
import type { Log } from '../lib/process/host.ts';
import { freePort, isFree } from './ports.ts';
import { lastLines, type Launched } from '../lib/process/processes.ts';
import { until } from './wait.ts';

const START_MS = 60_000;
const LAUNCHES = 40;
const PORT_MS = 1_000;

/** One way to run one server; there are a native one and one in Docker for both Redis and PostgreSQL. */
export interface StoreDriver {
  label: 'Redis' | 'PostgreSQL';
  logFile: string;
  /** The pid of our server, from its own pid file and checked; null when it does not run, or runs in Docker. */
  findPid(): Promise<number | null>;
  /** The version, when a server answers on this port, is ready, and takes our password; else null. */
  ask(port: number): Promise<string | null>;
  /** Whatever has to be there before a start. */
  prepare(): Promise<void>;
  /** Makes a stopped server take the password of the stack; where that is not a matter of its start alone. */
  setPassword?(): Promise<void>;
  launch(port: number): Promise<Launched>;
  /** True when something had to be stopped. */
  stop(): Promise<boolean>;
  /** Ends it as a crash would, without any goodbye. What it had acknowledged is there at the next start. */
  crash(): Promise<void>;
  /** Removes the data of a stopped server. */
  purge(): Promise<void>;
}

export interface Up {
  port: number;
  version: string;
  /** False when it was up already. */
  started: boolean;
}

/**
 * Brings a server up, or finds that it is up already: also one that was left behind by a killed process, and one that is still starting.
 *
 * `remember` is called before a start, so that a server whose starter is killed in the next moment is found by the next command.
 *
 * @param newPassword makes one for a stopped server; left out, the present one stays
 */
export async function bringUp(
  driver: StoreDriver,
  known: number | null,
  seed: string,
  remember: (port: number) => void,
  log: Log,
  newPassword: () => void = () => undefined,
): Promise<Up> {
  if (known !== null) {
    const version = await answerOfRunning(driver, known);
    if (version !== null) return { port: known, version, started: false };
  }
  await driver.stop(); // ours, but its port is no longer known

  await driver.prepare();
  newPassword();
  await driver.setPassword?.();
  // A server that has just ended may not have let go of its port yet.
  const isKnownFree = known !== null && (await until(async () => ((await isFree(known)) ? true : null), PORT_MS)) !== null;
  let port = isKnownFree ? known : await freePort(seed);
  if (known !== null && port !== known) log(`port ${known} is taken: ${driver.label} moves to ${port}`);
  for (let launches = 0; launches < LAUNCHES; launches += 1) {
    remember(port);
    const logged = sizeOf(driver.logFile);
    const launched = await driver.launch(port);
    const outcome = await until(async () => (await driver.ask(port)) ?? (launched.exited() ? false : null), START_MS);
    if (typeof outcome === 'string') return { port, version: outcome, started: true };

    const said = readFileSync(driver.logFile, 'utf8').slice(logged);
    if (outcome === null || !(await mayTryAgain(said))) throw startFailed(driver, outcome === null, said);
    if (PORT_TAKEN.test(said)) port = await freePort(`${seed} ${launches}`);
  }
  throw startFailed(driver, false, readFileSync(driver.logFile, 'utf8'));
}

/** The server may be reading its data back, which is no reason to start a second one next to it. */
async function answerOfRunning(driver: StoreDriver, port: number): Promise<string | null> {
  const version = await driver.ask(port);
  if (version !== null || (await driver.findPid()) === null) return version;
  const outcome = await until(async () => (await driver.ask(port)) ?? ((await driver.findPid()) === null ? false : null), START_MS);
  if (outcome !== null) return outcome === false ? null : outcome;
  throw new CouponError({
    code: 'STACK_NOT_ANSWERING',
    kind: 'unreachable',
    message: `${driver.label} runs (pid ${await driver.findPid()}) but does not answer on 127.0.0.1:${port}`,
    fix: `Look at ${driver.logFile}; "dev down" stops it.`,
  });
}

const PORT_TAKEN = /address already in use|port is already allocated/i;
/** PostgreSQL after a kill: its last helpers need a moment to notice that their parent is gone. It cleans up by itself; we never do. */
export const PREDECESSOR = /lock file "postmaster\.pid" already exists|pre-existing shared memory block/;

async function mayTryAgain(said: string): Promise<boolean> {
  if (PORT_TAKEN.test(said)) return true;
  if (!PREDECESSOR.test(said)) return false;
  await until(() => null, 250);
  return true;
}

function startFailed(driver: StoreDriver, late: boolean, said: string): CouponError {
  return new CouponError({
    code: 'STACK_START_FAILED',
    kind: 'unreachable',
    message: late ? `${driver.label} was not ready within ${START_MS / 1000} s` : `${driver.label} ended while starting`,
    why: lastLines(said),
    fix: `Look at ${driver.logFile}. "dev down --purge --confirm" starts over with empty stores.`,
  });
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
