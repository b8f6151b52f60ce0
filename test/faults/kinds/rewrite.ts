import { setTimeout as delay } from 'node:timers/promises';
import type { RepairReport } from '../../../src/audit/repair/repair.ts';
import { couponKeys } from '../../../src/stores/redis/keys/keys.ts';
import type { HarmlessFault, Random, Rig } from '../fault.ts';

/** Spring Data's `save()` deletes a hash and writes the fields that it knows. */
async function rewrite({ redis, couponId, ledger }: Rig, random: Random): Promise<void> {
  const { coupon } = couponKeys(couponId, 'plain');
  const { total } = (await ledger.coupon(couponId))!;
  // As it was read some time before: others have been accepted since.
  const stock = await redis.admin.hget(coupon, 'stock');
  await delay(random.int(0, 200));
  const fields = { _class: 'Coupon', name: 'theirs', total: String(total) };
  const known = random.pick([{}, { stock: stock ?? '0' }, { stock: stock ?? '0', epoch: '1' }]);
  await redis.admin
    .multi()
    .del(coupon)
    .hset(coupon, { ...fields, ...known })
    .exec();
}

/** Another program writes over keys of the coupon, and an operator repairs it in the middle of the sale. */
export const rewriteFaults: readonly HarmlessFault[] = [
  {
    kind: 'foreign-rewrite',
    meaning: 'another program deletes the hash of the coupon and writes fields of its own; then `audit --repair`',
    on: 'plain',
    harmless: true,
    unavailable: () => null,
    async inflict(rig, random) {
      await rewrite(rig, random);
      await delay(random.int(0, 1_500));
      const { exitCode, stdout, stderr } = await rig.command(['audit', rig.couponId, '--repair', '--json']);
      if (exitCode !== 0) throw new Error(`audit --repair ended with ${exitCode}: ${stderr.trim() || stdout}`);
      const { plan } = JSON.parse(stdout) as RepairReport;
      if (plan.takesAway.length > 0) throw new Error(`the repair takes ${plan.takesAway[0]!.users.length} users away`);
    },
  },
];
