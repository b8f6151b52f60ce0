/** Commands of an operator in the middle of things: a seed that was made already, a reset and a purge while workers hold claims. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { reset } from '../../../src/operate/reset.ts';
import type { HarmlessFault, Random, Rig } from '../fault.ts';
import { holdClaims, idsOf, seedArguments, type ThirdCoupon } from '../third-coupon.ts';
import { leftovers, missing } from '../third-coupon-looks.ts';

const seedAgain: HarmlessFault = {
  kind: 'seed-again',
  meaning: 'the same `seed` is run again in the middle of the sale, twice at once',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict({ couponId, ledger, command }) {
    const coupon = await ledger.coupon(couponId);
    const argv = ['seed', couponId, '--name', coupon!.name, '--stock', String(coupon!.total)];
    for (const { exitCode, stderr } of await Promise.all([command(argv), command(argv)])) {
      if (exitCode !== 0) throw new Error(`seed again ended with ${exitCode}: ${stderr}`);
    }
  },
};

const resetWhileClaimed: HarmlessFault = {
  kind: 'reset-while-claimed',
  meaning: 'a coupon is reset while workers hold claims on it and users ask: only its new life counts',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict(rig, random) {
    const third = await holdClaims(rig, random);
    const during = third.ask(idsOf('during', 50));
    await whileStopped(rig, third, random, async () => {
      const { exitCode, stderr } = await rig.command([...seedArguments(third.id), '--reset', `--confirm=${third.id}`]);
      if (exitCode !== 0) throw new Error(`the reset ended with ${exitCode}: ${stderr}`);
    });
    await during;
    const returning = third.old.slice(0, 20);
    const accepted = await third.ask([...returning, ...idsOf('new', 80)]);
    third.close();
    const gone = third.old.slice(returning.length);
    rig.afterwards(async () => [...(await leftovers(rig, third.id, gone)), ...(await missing(rig, third.id, accepted))]);
  },
};

const purgeWhileClaimed: HarmlessFault = {
  kind: 'purge-while-claimed',
  meaning: 'a coupon is taken out of both stores while workers hold claims on it: nothing of it is left',
  on: 'plain',
  harmless: true,
  unavailable: () => null,
  async inflict(rig, random) {
    const third = await holdClaims(rig, random);
    await whileStopped(rig, third, random, async () => {
      await reset(third.id, { ledger: rig.ledger, coupons: rig.coupons, newEpoch: randomUUID });
    });
    third.close();
    rig.afterwards(async () => [
      ...(await leftovers(rig, third.id, third.old)),
      ...((await rig.reader.coupon(third.id)) || (await rig.ledger.coupon(third.id)) ? [`${third.id} is still there`] : []),
    ]);
  },
};

/**
 * The worker that holds claims stands still when the work begins, and goes on in the middle of it or after it. In the middle it must:
 * it may keep a lock in the ledger that the work is waiting for.
 */
async function whileStopped({ leaseMs }: Rig, { worker }: ThirdCoupon, random: Random, work: () => Promise<void>): Promise<void> {
  const working = work();
  try {
    await Promise.race([working, delay(leaseMs * 1.5 * random.next())]);
  } finally {
    worker.resume();
  }
  await working;
}

export const lifecycleFaults: readonly HarmlessFault[] = [seedAgain, resetWhileClaimed, purgeWhileClaimed];
