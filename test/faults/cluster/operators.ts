import { readFileSync } from 'node:fs';
import { Closers } from '../../../src/lib/closers.ts';
import { killInTheMiddle, runAgain } from '../operators/killed.ts';
import { carryOut, type Operation } from '../operators/operations.ts';
import { seededRandom } from '../random.ts';
import { openClusterRig } from './rig.ts';

/**
 * Commands of an operator on a Redis Cluster: each is killed, and run again. Between the two another server takes over once.
 *
 * @returns what was broken, a line each, and what the processes said last where anything was
 */
export async function operateOnCluster(operations: readonly Operation[], seed: number): Promise<string[]> {
  await using closers = new Closers();
  const { cluster, stores, deaths, logs } = await openClusterRig('replica', closers);
  const rig = { ...stores, couponId: 'clustered', afterwards: () => undefined };
  const random = seededRandom(seed);
  let switched = false;
  const broken: string[] = [];
  for (const operation of operations) {
    const look = await carryOut(operation, rig, random, async (given, command) => {
      await killInTheMiddle(given, command, random);
      if (!switched) await cluster.switchOver(await cluster.holder(command.couponId));
      switched = true;
      await runAgain(given, command);
    });
    const emptied = await stores.command(['drain', '--until-empty', '--interval', '50ms']);
    if (emptied.exitCode !== 0) broken.push(`${operation.kind}: not drained: ${emptied.stderr}`);
    broken.push(...(await look()).map((line) => `${operation.kind}: ${line}`));
  }
  broken.push(...deaths);
  return broken.length === 0 ? [] : [...broken, ...logs.map((log) => readFileSync(log, 'utf8').slice(-3_000))];
}
