import type { CouponDefinition } from '../campaign/coupon.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import type { UserDirectory } from './plan/user-plan.ts';
import { command, shellQuoted } from '../lib/text/suggested-command.ts';
import type { BenchStores } from './ports.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import type { RedisCoupon } from '../campaign/ports/redis-reader.ts';

/**
 * Looks at a coupon before anything is sent: it must be the one of the scenario, in both stores, and untouched. A load on the
 * wrong coupon would spend stock that real users wait for.
 *
 * @returns users who have been accepted or issued before; empty for a fresh coupon
 * @throws CouponError `SCENARIO_COUPON_MISSING`, `SCENARIO_COUPON_DIFFERS`, `COUPON_NOT_FRESH` (all exit 2, nothing sent)
 */
export async function preflight(
  coupon: CouponDefinition,
  stores: BenchStores,
  users: UserDirectory,
  allowUsed: boolean,
): Promise<Uint32Array> {
  const [inRedis, inLedger] = await Promise.all([stores.redis.coupon(coupon.id), stores.ledger.coupon(coupon.id)]);
  if (!inRedis || !inLedger) throw missing(coupon, inRedis, inLedger);
  if (inRedis.total !== coupon.total || inLedger.total !== coupon.total) throw differs(coupon, inRedis, inLedger);
  const spent = inRedis.admitted + inRedis.waiting + inRedis.claimed + inRedis.dead + inLedger.issuedQuantity;
  if (spent === 0 && inRedis.stock === coupon.total) return new Uint32Array();
  if (!allowUsed) throw notFresh(coupon, inRedis, inLedger);
  return spentUsers(coupon.id, stores, users);
}

/** Everyone in any place of either store. */
async function spentUsers(couponId: string, { redis, ledger }: BenchStores, users: UserDirectory): Promise<Uint32Array> {
  const found = new Set<number>();
  for (const source of ['admitted', 'waiting', 'leases', 'dead'] as const) {
    for await (const chunk of redis.walk(couponId, source)) for (const id of chunk) found.add(users.numberOf(id));
  }
  for (let after = ''; ;) {
    const rows = await ledger.page(couponId, after, 1_000);
    for (const row of rows) found.add(users.numberOf(row.userId));
    if (rows.length === 0) return Uint32Array.from(found);
    after = rows.at(-1)!.userId;
  }
}

function missing(coupon: CouponDefinition, inRedis: RedisCoupon | null, inLedger: LedgerCoupon | null): CouponError {
  const where =
    !inRedis && !inLedger ? 'in neither store' : inRedis ? 'in Redis, but not in the ledger' : 'in the ledger, but not in Redis';
  return usageError(
    'SCENARIO_COUPON_MISSING',
    `the scenario's coupon "${coupon.id}" is ${where}; nothing was sent`,
    inRedis || inLedger
      ? `See ${command`audit ${coupon.id}`}, or let bench bring stores of its own with --stack.`
      : `Set it up with ${command`seed ${coupon.id} --name TEXT --stock ${String(coupon.total)}`}, or let bench bring stores of its own with --stack.`,
  );
}

function differs(coupon: CouponDefinition, inRedis: RedisCoupon, inLedger: LedgerCoupon): CouponError {
  return usageError(
    'SCENARIO_COUPON_DIFFERS',
    `the scenario has ${coupon.total} of coupon "${coupon.id}", the ledger has ${inLedger.total} and Redis ${inRedis.total ?? 'none'}; nothing was sent`,
    'Make the total of the scenario that of the coupon, or seed another coupon for the test.',
  );
}

function notFresh(coupon: CouponDefinition, inRedis: RedisCoupon, inLedger: LedgerCoupon): CouponError {
  return new CouponError({
    code: 'COUPON_NOT_FRESH',
    kind: 'usage',
    message: `coupon "${coupon.id}" has been used already (${inRedis.admitted} accepted, ${inLedger.issuedQuantity} issued); nothing was sent`,
    why: 'a load would spend what is left of it',
    fix: `Start over with ${command`seed ${coupon.id} … --reset --confirm=${coupon.id}`}, or add --allow-coupon ${shellQuoted(coupon.id)} if the rest may be spent.`,
  });
}
