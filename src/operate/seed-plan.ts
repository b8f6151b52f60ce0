import { definitionDifferences, type CouponDefinition } from '../campaign/coupon.ts';
import { CouponError, usageError, isOutage } from '../lib/errors.ts';
import { command, shellQuoted } from '../lib/text/suggested-command.ts';
import { couponNotInRedis, couponSuspect } from '../campaign/known-coupon.ts';
import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import type { SeedCheck, SeedLedger, SeedResult, SeedStore } from './ports.ts';
import { LEDGER_BEHIND } from '../campaign/verify-coupon.ts';

/** What is left to do about one coupon. `finish`: an earlier seed had stopped half-way. */
export type SeedAction = 'create' | 'finish' | 'unchanged';

/** What `seed` would do about one coupon, or why it would not. */
export type SeedPlan = { couponId: string; total: number } & (
  { action: SeedAction; problem: null } | { action: 'refused'; problem: CouponError }
);

export interface PlanPorts {
  ledger: Pick<LedgerReader, 'coupon'> & Pick<SeedLedger, 'trySeeding'>;
  coupons: Pick<SeedStore, 'checkSeed'>;
  /** A fresh random UUID. */
  newEpoch: () => string;
  keyStyle: string;
}

/**
 * Looks at both stores for each coupon and changes neither, so that a file is applied as a whole or not at all. The ledger tries the
 * writes in a transaction that is taken back, because only the write itself shows every missing right and every constraint.
 *
 * @throws CouponError of kind `unreachable`; `REDIS_AUTH` when this user may not seed
 */
export async function planSeeds(wanted: readonly CouponDefinition[], ports: PlanPorts): Promise<SeedPlan[]> {
  const plans: SeedPlan[] = [];
  for (const definition of wanted) plans.push(await planOne(definition, ports));
  const create = wanted.filter((_, i) => plans[i]!.action === 'create').toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (create.length === 0) return plans;
  const refused = await ports.ledger.trySeeding(create, ports.newEpoch(), ports.keyStyle);
  if (!refused) return plans;
  const { couponId, error } = refused;
  if (couponId === null || !(error instanceof CouponError) || isOutage(error)) throw error;
  return plans.map((plan) => (plan.couponId === couponId ? { ...plan, action: 'refused', problem: error } : plan));
}

async function planOne(wanted: CouponDefinition, { ledger, coupons, keyStyle }: PlanPorts): Promise<SeedPlan> {
  const plan = { couponId: wanted.id, total: wanted.total };
  try {
    const stored = await ledger.coupon(wanted.id);
    const action = stored ? nextSeedStep(wanted, stored, keyStyle) : 'create';
    const found = await coupons.checkSeed(wanted.id, stored?.epoch ?? null);
    if (stored && action === 'unchanged') await requireWhole(stored, found, ledger);
    else if (found.status === 'foreign' || found.status === 'leftovers') throw keysTaken(wanted.id, found.status);
    return { ...plan, action, problem: null };
  } catch (error) {
    if (!(error instanceof CouponError) || isOutage(error)) throw error;
    return { ...plan, action: 'refused', problem: error };
  }
}

/**
 * What is left to do, given the ledger's row.
 *
 * @throws CouponError `RESET_UNFINISHED`, `SEED_CONFLICT`
 */
export function nextSeedStep(wanted: CouponDefinition, stored: LedgerCoupon, keyStyle: string): Exclude<SeedAction, 'create'> {
  if (stored.state === 'resetting') {
    throw usageError(
      'RESET_UNFINISHED',
      `a reset of coupon ${stored.id} was not finished`,
      `Run ${command`seed ${stored.id} … --reset --confirm=${stored.id}`} again.`,
    );
  }
  if (stored.state === 'adopting')
    throw usageError(
      'ADOPTION_UNFINISHED',
      `coupon ${stored.id} is being adopted from another service`,
      'Run the same `coupon-cli adopt` command again: it finishes what is missing.',
    );
  const differences = definitionDifferences(stored, wanted);
  if (stored.keyStyle !== keyStyle) differences.push({ field: 'key-style', stored: stored.keyStyle, wanted: keyStyle });
  if (differences.length > 0) {
    throw new CouponError({
      code: 'SEED_CONFLICT',
      kind: 'usage',
      message: `coupon ${stored.id} is already seeded with other values`,
      why: differences.map((row) => `${row.field}: ${row.stored} there, ${row.wanted} asked for`).join('; '),
      fix: `Use the same values, another id, or start over with --reset --confirm=${shellQuoted(stored.id)} (this deletes everything issued).`,
    });
  }
  return stored.state === 'ready' ? 'unchanged' : 'finish';
}

/** "Already there" must mean there in both stores. The same comparison as `verify.lua`, which also marks what it finds. */
async function requireWhole(stored: LedgerCoupon, found: SeedCheck, ledger: PlanPorts['ledger']): Promise<void> {
  if (found.status === 'free' || found.status === 'leftovers') throw couponNotInRedis(stored.id);
  const reason = doubt(stored, found);
  if (reason === null) return;
  // A worker may have drained since the ledger was read.
  const now = reason === LEDGER_BEHIND ? await ledger.coupon(stored.id) : null;
  if (now && (now.epoch !== stored.epoch || doubt(now, found) === null)) return;
  throw couponSuspect(stored.id, reason);
}

function doubt(stored: LedgerCoupon, found: SeedCheck): string | null {
  if (found.status !== 'exists') return 'epoch';
  if (found.suspect !== '') return found.suspect;
  if (found.fence < stored.maxFence) return 'fence';
  if (found.version < stored.version) return 'version';
  if (!found.counted) return 'stock';
  return found.acked > stored.maxFence ? LEDGER_BEHIND : null;
}

export function keysTaken(couponId: string, result: Extract<SeedResult, 'foreign' | 'leftovers'>): CouponError {
  return new CouponError({
    code: 'REDIS_KEYS_TAKEN',
    kind: 'usage',
    message:
      result === 'foreign'
        ? `Redis already has a coupon:${couponId} that was not seeded by this ledger`
        : `Redis still holds a queue or records of coupon ${couponId}`,
    why: 'another service, or coupon-cli with another ledger, may be using these keys',
    fix: `Use another id, or check REDIS_URL and DATABASE_URL. Only if nothing uses these keys any more, --reset --confirm=${shellQuoted(couponId)} deletes them, unless another ledger has seeded them.`,
  });
}
