import { chunked } from '../../lib/chunked.ts';
import { mayHaveRow } from '../../campaign/ids.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { eachToMend } from './each.ts';
import type { CouponPlan, PlanOptions } from './plan-coupon.ts';
import type { RepairStep } from './plan.ts';
import type { RepairPorts } from './ports.ts';
import { reachedBy } from './reached.ts';
import { mendUsers, type Mended } from './users.ts';

/** Users looked at together for whether there is a coupon for them. */
const ROWS_AT_ONCE = 200;

/**
 * Mends one coupon, as far as that can be done without a person. A coupon that is dangerous to serve is out of service meanwhile, and
 * stays so when the repair is interrupted; the same command goes on from wherever it was.
 */
export async function repairCoupon(
  ports: RepairPorts,
  coupon: LedgerCoupon,
  plan: CouponPlan,
  { scan }: Pick<PlanOptions, 'scan'>,
  mended: Mended,
): Promise<void> {
  const { id, epoch } = coupon;
  const { life, record, takesAway, deadLetters, missing, roomForRows } = plan;
  const has = (step: RepairStep): boolean => plan.steps.some((one) => one.step === step);
  // Written first: an interrupted repair must not leave the coupon open.
  if (missing !== coupon.mayBeMissing) await ports.repairs.setMissing(id, epoch, missing);
  if (plan.isDangerous) await ports.coupons.markSuspect(id, epoch, 'repair');
  if (life === 'ended') {
    await ports.coupons.drop(id);
    mended('drop_life', takesAway.length);
  }
  if (life !== 'ours') {
    await ports.coupons.index(id);
    const bound = await ports.redis.bind(coupon, life === 'ended' ? '' : (record.hashEpoch ?? ''), await reachedBy(ports, coupon));
    // Another program has written over the hash once more: the plan is for what is no longer there.
    if (bound === 'changed') return;
    mended('rebuild_coupon', 1);
  }
  if (has('recount')) {
    const { acked = 0 } = (await ports.reader.coupon(id)) ?? {};
    // Refused when rows were written past the guard: that is left to a person, and the audit at the end says so.
    if ((await ports.repairs.recount(id, epoch, acked)) === 'ok') mended('recount', 1);
  }
  await eachToMend(ports, id, scan, (users) => mendUsers(ports, coupon, users, roomForRows, mended));
  await deadLetter(ports, coupon, deadLetters, mended);
  // Nothing about the coupon itself is touched when nothing was wrong with it: a live sale goes on.
  if (LAST.some(has) || plan.isDangerous) await restore(ports, coupon, plan, mended);
}

/** Done in one step at the end. */
const LAST = ['restore_settings', 'set_stock', 'clear_suspect', 'pause', 'reopen'] as const;

/** The users of the plan give their promise up, but for those who have a row by now. */
async function deadLetter(ports: RepairPorts, coupon: LedgerCoupon, users: readonly string[], mended: Mended): Promise<void> {
  if (users.length === 0) return;
  const { id, epoch } = coupon;
  // A coupon out of service hands out no claims, so users that no worker holds any more would never be put back.
  for await (const page of ports.reader.walk(id, 'leases')) await ports.redis.requeue(id, epoch, page);
  for (const chunk of chunked(users, ROWS_AT_ONCE)) {
    const { moved } = await ports.redis.evictExcess(coupon, await withoutRow(ports, id, chunk));
    mended('set_aside', moved);
  }
}

async function withoutRow({ ledger }: RepairPorts, couponId: string, userIds: readonly string[]): Promise<string[]> {
  const issued = new Set((await ledger.rows(couponId, userIds.filter(mayHaveRow))).map((row) => row.userId));
  return userIds.filter((userId) => !issued.has(userId));
}

async function restore(ports: RepairPorts, coupon: LedgerCoupon, { steps, state }: CouponPlan, mended: Mended): Promise<void> {
  const now = await ports.ledger.coupon(coupon.id);
  if (now?.epoch !== coupon.epoch) return;
  const { lastUs } = await reachedBy(ports, now);
  const result = await ports.redis.restore(now, lastUs, state);
  // More users than coupons, because workers hold some of them: the coupon stays out of service until the next run.
  if (result.status !== 'ok') return;
  if (state === 'reopen') await ports.repairs.setMissing(coupon.id, coupon.epoch, null);
  for (const step of LAST) if (steps.some((one) => one.step === step)) mended(step, 1);
}
