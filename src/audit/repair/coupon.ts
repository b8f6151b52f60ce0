import { FINDINGS } from '../findings.ts';
import { mayHaveRow } from '../../campaign/ids.ts';
import { isDangerous, type FoundHere } from './plan.ts';
import { CHUNK, queuePages, readRedis } from '../reads.ts';
import { auditUsers } from '../users.ts';
import type { LedgerCoupon, RedisUser } from '../../campaign/ports.ts';
import type { RepairPorts } from './ports.ts';
import { mending, type Mended } from './users.ts';

/** Users looked at together for whether there is a piece for them. */
const SHARE = 200;

/**
 * Mends one coupon, as far as that can be done without a person. A coupon that is dangerous to serve is out of service meanwhile, and
 * stays so when the repair is interrupted; the same command goes on from wherever it was.
 */
export async function repairCoupon(
  ports: RepairPorts,
  coupon: LedgerCoupon,
  findings: readonly FoundHere[],
  scan: boolean,
  told: Mended,
): Promise<void> {
  const { id, epoch } = coupon;
  const has = (...codes: FoundHere['code'][]): boolean => findings.some((found) => codes.includes(found.code));
  let promises = 0;
  const mended: Mended = (step, count) => {
    if (step === 'rebuild_admission' || step === 'set_aside') promises += count;
    told(step, count);
  };
  if (isDangerous(findings)) await ports.coupons.markSuspect(id, epoch, 'repair');
  if (has('coupon_missing', 'epoch_missing', 'epoch_mismatch')) await rebuild(ports, coupon, mended);
  await adoptForeign(ports, coupon, mended);
  await auditUsers(ports, id, scan, mending(ports, coupon, mended));
  if (has('issued_quantity_mismatch', 'ledger_behind')) {
    const { acked = 0 } = (await ports.reader.coupon(id)) ?? {};
    // Refused when rows were written past the guard: that is left to a person, and the audit at the end says so.
    if ((await ports.repairs.recount(id, epoch, acked)) === 'ok') mended('recount', 1);
  }
  await setAside(ports, coupon, mended);
  // Nothing about the coupon itself is touched when nothing was wrong with it: a live sale goes on.
  if (findings.some((found) => FINDINGS[found.code].about === 'coupon') || promises > 0) await restore(ports, coupon, mended);
}

/** Puts the hash back. What stands under another epoch goes, with its users; the caller has that confirmed. */
async function rebuild({ coupons, redis, reader }: RepairPorts, coupon: LedgerCoupon, mended: Mended): Promise<void> {
  await coupons.index(coupon.id);
  if ((await redis.rebuild(coupon)) === 'foreign') {
    const dropped = (await reader.coupon(coupon.id))?.admitted ?? 0;
    await coupons.retire(coupon.id, coupon.epoch);
    await coupons.drop(coupon.id);
    await coupons.index(coupon.id);
    await redis.rebuild(coupon);
    mended('drop_life', dropped);
  }
  mended('rebuild_coupon', 1);
}

async function adoptForeign(ports: RepairPorts, { id, epoch }: LedgerCoupon, mended: Mended): Promise<void> {
  for await (const page of queuePages(ports, id)) {
    const { users } = await readRedis(ports, id, page);
    const foreign = users.filter((user) => user.admitted === null && user.waiting !== null);
    await ports.redis.adopt(
      id,
      epoch,
      foreign.map(({ userId }) => ({ userId, requestedUs: null })),
    );
    mended('adopt', foreign.length);
  }
}

/**
 * From the end of the queue, where leases that ran out go first, then among the dead: whoever has no row gives the promise up, until
 * there is a piece for everybody.
 */
async function setAside(ports: RepairPorts, coupon: LedgerCoupon, mended: Mended): Promise<void> {
  const { id, epoch } = coupon;
  const take = async (users: readonly string[]): Promise<number> => {
    const { moved, excess } = await ports.redis.overpromise(id, epoch, users.length > 0 ? await withoutRow(ports, id, users) : []);
    mended('set_aside', moved);
    return excess;
  };
  let excess = await take([]);
  if (excess === 0) return;
  // A coupon out of service hands out no claims, and nobody else would put back whom no worker holds any more.
  for await (const page of ports.reader.walk(id, 'leases')) mended('requeue', await ports.redis.requeue(id, epoch, page));
  for (let end = (await ports.reader.coupon(id))?.waiting ?? 0; excess > 0 && end > 0; end -= SHARE) {
    const from = Math.max(0, end - SHARE);
    const entries = await ports.reader.queue(id, from, end - from);
    if (entries.length > 0) excess = await take(entries.map((entry) => entry.userId).toReversed());
  }
  if (excess === 0) return;
  const dead: RedisUser[] = [];
  for await (const page of ports.reader.walk(id, 'dead')) dead.push(...(await readRedis(ports, id, page)).users);
  const latestFirst = dead.toSorted((a, b) => (b.admitted?.score ?? 0) - (a.admitted?.score ?? 0));
  for (let from = 0; excess > 0 && from < latestFirst.length; from += CHUNK) {
    excess = await take(latestFirst.slice(from, from + CHUNK).map((user) => user.userId));
  }
}

async function withoutRow({ ledger }: RepairPorts, couponId: string, userIds: readonly string[]): Promise<string[]> {
  const issued = new Set((await ledger.rows(couponId, userIds.filter(mayHaveRow))).map((row) => row.userId));
  return userIds.filter((userId) => !issued.has(userId));
}

async function restore(ports: RepairPorts, coupon: LedgerCoupon, mended: Mended): Promise<void> {
  const now = await ports.ledger.coupon(coupon.id);
  if (now?.epoch !== coupon.epoch) return;
  const before = await ports.reader.coupon(coupon.id);
  const result = await ports.redis.restore(now, await ports.repairs.latestRequestUs(coupon.id));
  // More promises than pieces, because workers hold some of the users: the coupon stays out of service until the next run.
  if (result.status !== 'ok') return;
  mended('restore_settings', 1);
  if (before?.stock !== result.stock) mended('set_stock', 1);
  if (before?.suspect) mended('clear_suspect', 1);
}
