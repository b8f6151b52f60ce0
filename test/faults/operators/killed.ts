import { setTimeout as delay } from 'node:timers/promises';
import { start } from '../../support/processes.ts';
import { openProxy } from '../../support/tcp-proxy.ts';
import type { Random, StoresUnderLoad } from '../fault.ts';

/** A command of an operator that changes a coupon. */
export interface OperatorCommand {
  couponId: string;
  argv: readonly string[];
}

/** Each message to and from PostgreSQL is so late that every step of a command takes its time, and a kill may hit it. */
const LATE_MS = 60;
/** For a command that starts, on a busy machine. */
const LONGEST_MS = 1_500;
const LOOK_MS = 5;

/**
 * Starts a command, and kills it (SIGKILL): at any moment; or, more often than not, once the ledger says that the change was begun.
 *
 * @returns whether the change stands there unfinished
 * @throws Error when the command ended by itself, and not well
 */
export async function killInTheMiddle(stores: StoresUnderLoad, { couponId, argv }: OperatorCommand, random: Random): Promise<boolean> {
  const { addresses, sql } = stores;
  await using link = await openProxy(addresses.postgres);
  link.slow(LATE_MS);
  const { child, finished } = start(argv, { env: { REDIS_URL: addresses.redis, DATABASE_URL: link.through(addresses.postgres) } });
  const unfinished = async (): Promise<boolean> => {
    const rows = await sql('SELECT FROM operator_log WHERE coupon_id = $1 AND finished_at IS NULL', [couponId]);
    return rows.length > 0;
  };
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  if (random.next() < 0.25) {
    await Promise.race([finished, delay(random.int(0, LONGEST_MS))]);
  } else {
    while (running() && !(await unfinished())) await delay(LOOK_MS);
    await Promise.race([finished, delay(random.int(0, LATE_MS))]);
  }
  child.kill('SIGKILL');
  const { exitCode, signal, stderr } = await finished;
  if (signal === null && exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
  return await unfinished();
}

/** The same, and runs the command again, to its end. Some are killed twice. */
export async function killAndRunAgain(stores: StoresUnderLoad, command: OperatorCommand, random: Random): Promise<void> {
  await killInTheMiddle(stores, command, random);
  if (random.next() < 0.25) await killInTheMiddle(stores, command, random);
  await runAgain(stores, command);
}

export async function runAgain({ command }: StoresUnderLoad, { argv }: OperatorCommand): Promise<void> {
  const { exitCode, stderr } = await command(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}, run again, ended with ${exitCode}: ${stderr}`);
}
