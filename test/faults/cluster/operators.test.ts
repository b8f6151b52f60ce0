import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Closers } from '../../../src/lib/closers.ts';
import { carryOut, OPERATIONS } from '../operators/operations.ts';
import { killInTheMiddle, runAgain } from '../operators/killed.ts';
import { seededRandom } from '../random.ts';
import { openClusterRig } from './rig.ts';

/** Those that touch more than the hash of the coupon. */
const KINDS = ['restock-killed', 'revoke-killed', 'forget-killed'];
const LONG = 300_000;

test(
  'on a Redis Cluster, too, a command that is killed is finished by running it again; a failover in between changes nothing',
  async () => {
    await using closers = new Closers();
    const { cluster, stores, deaths, logs } = await openClusterRig('replica', closers);
    const rig = { ...stores, couponId: 'clustered', afterwards: () => undefined };
    const random = seededRandom(1);
    let switched = false;
    const broken: string[] = [];
    for (const kind of KINDS) {
      const look = await carryOut(
        OPERATIONS.find((one) => one.kind === kind)!,
        rig,
        random,
        async (given, command) => {
          await killInTheMiddle(given, command, random);
          if (!switched) await cluster.switchOver(await cluster.holder(command.couponId));
          switched = true;
          await runAgain(given, command);
        },
      );
      broken.push(...(await look()).map((line) => `${kind}: ${line}`));
    }
    expect([...broken, ...deaths], logs.map((log) => readFileSync(log, 'utf8').slice(-3_000)).join('\n')).toEqual([]);
  },
  LONG,
);
