import { checkDefinition, definitionDifferences, type CouponDefinition } from '../campaign/coupon.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { verifyCoupon } from '../campaign/known-coupon.ts';
import type { CouponStore, Ledger, LedgerCoupon, Verification } from '../campaign/ports.ts';

export interface SeedPorts {
  ledger: Ledger;
  coupons: CouponStore & Verification;
  /** A fresh random UUID. */
  newEpoch: () => string;
  keyStyle: string;
}

/** `finished`: an earlier seed had stopped half-way. */
export type SeedOutcome = 'created' | 'finished' | 'unchanged';

/** What `seed` would do, for `--dry-run`. */
export type SeedPlan = { action: 'create' | 'finish' | 'unchanged' };

/**
 * Sets a coupon up in both stores: ledger row in state `seeding`, index, Redis, ledger `ready`. Every step may be repeated, so
 * the same command finishes a seeding that was interrupted, and two at once do it once.
 *
 * @throws CouponError `SEED_CONFLICT`, `COUPON_NOT_IN_REDIS`, `COUPON_SUSPECT`, `RESET_UNFINISHED`, `REDIS_KEYS_TAKEN`
 */
export async function seed(definition: CouponDefinition, ports: SeedPorts): Promise<SeedOutcome> {
  const { ledger, coupons, keyStyle } = ports;
  const wanted = checkDefinition(definition);
  const epoch = ports.newEpoch();
  const stored = await ledger.startSeeding(wanted, epoch, keyStyle);
  const plan = judge(wanted, stored, keyStyle);
  if (plan.action === 'unchanged') {
    // "Already there" must mean there in both stores.
    await verifyCoupon({ verification: coupons, ledger }, stored);
    return 'unchanged';
  }
  await coupons.index(stored.id);
  const result = await coupons.seed(stored, stored);
  if (result === 'foreign' || result === 'leftovers') throw keysTaken(stored.id, result);
  await ledger.finishSeeding(stored.id, stored.epoch);
  return stored.epoch === epoch ? 'created' : 'finished';
}

export async function planSeed(definition: CouponDefinition, ports: Pick<SeedPorts, 'ledger' | 'keyStyle'>): Promise<SeedPlan> {
  const wanted = checkDefinition(definition);
  const stored = await ports.ledger.coupon(wanted.id);
  return stored ? judge(wanted, stored, ports.keyStyle) : { action: 'create' };
}

/** What is left to do, given the ledger's row. */
function judge(wanted: CouponDefinition, stored: LedgerCoupon, keyStyle: string): SeedPlan {
  if (stored.state === 'resetting') {
    throw usageError(
      'RESET_UNFINISHED',
      `a reset of coupon ${stored.id} was not finished`,
      `Run \`coupon-cli seed ${stored.id} … --reset --confirm=${stored.id}\` again.`,
    );
  }
  const differences = definitionDifferences(stored, wanted);
  if (stored.keyStyle !== keyStyle) differences.push({ field: 'key-style', stored: stored.keyStyle, wanted: keyStyle });
  if (differences.length > 0) {
    throw new CouponError({
      code: 'SEED_CONFLICT',
      kind: 'usage',
      message: `coupon ${stored.id} is already seeded with other values`,
      why: differences.map((row) => `${row.field}: ${row.stored} there, ${row.wanted} asked for`).join('; '),
      fix: `Use the same values, another id, or start over with --reset --confirm=${stored.id} (this deletes everything issued).`,
    });
  }
  return { action: stored.state === 'ready' ? 'unchanged' : 'finish' };
}

function keysTaken(couponId: string, result: 'foreign' | 'leftovers'): CouponError {
  const what =
    result === 'foreign'
      ? `Redis already has a coupon:${couponId} that was not seeded by this ledger`
      : `Redis still holds a queue or records of coupon ${couponId}`;
  return usageError(
    'REDIS_KEYS_TAKEN',
    what,
    `Check REDIS_URL and DATABASE_URL; use another id, or start over with --reset --confirm=${couponId} (this deletes those keys).`,
  );
}
