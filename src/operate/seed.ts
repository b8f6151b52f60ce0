import type { SeedLedger, SeedStore, ResetLedger, ResetStore } from './ports.ts';
import { checkDefinition, type CouponDefinition } from '../campaign/coupon.ts';
import { CouponError, isOutage } from '../lib/errors.ts';
import { verifyCoupon } from '../campaign/known-coupon.ts';
import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import type { Verification } from '../campaign/ports/verification.ts';
import { changeBothStores } from './two-store-change.ts';
import { nextSeedStep, keysTaken, planSeeds, type SeedPlan } from './seed-plan.ts';

export interface SeedPorts {
  ledger: Pick<LedgerReader, 'coupon' | 'page' | 'latestRequestUs'> & SeedLedger & ResetLedger;
  coupons: SeedStore & ResetStore & Verification;
  /** A fresh random UUID. */
  newEpoch: () => string;
  keyStyle: string;
}

/** `finished`: an earlier seed had stopped half-way. */
export type SeedOutcome = 'created' | 'finished' | 'unchanged';

/** A seeding that others took back, or finished, under our hands is looked at again so many times. */
const ATTEMPTS = 5;
/** With these a store refused a command as a whole: certainly nothing was written. */
const REFUSALS = new Set(['REDIS_AUTH', 'REDIS_NOT_NOW', 'REDIS_REFUSED', 'REDIS_KEYS_TAKEN']);

/** As {@link seedAll}, for one coupon. */
export async function seed(definition: CouponDefinition, ports: SeedPorts): Promise<SeedOutcome> {
  return (await seedAll([definition], ports))[0]!;
}

/**
 * Sets coupons up in both stores, all of them or none: everything is checked before anything is written. Each coupon then goes through
 * ledger row in state `seeding`, index, Redis, ledger `ready`. Every step may be repeated, so the same command finishes what was
 * interrupted, and two at once do it once.
 *
 * @throws CouponError `SEED_CONFLICT`, `COUPON_NOT_IN_REDIS`, `COUPON_SUSPECT`, `RESET_UNFINISHED`, `REDIS_KEYS_TAKEN` and what a store
 *   refuses, with nothing changed; {@link incomplete} when a store changed or went away in the middle
 */
export async function seedAll(
  definitions: readonly CouponDefinition[],
  ports: SeedPorts,
  onRefusal: (plans: readonly SeedPlan[]) => void = () => undefined,
): Promise<SeedOutcome[]> {
  const wanted = definitions.map(checkDefinition);
  const plans = await planSeeds(wanted, ports);
  const refused = refusal(plans);
  if (refused) {
    onRefusal(plans);
    throw refused;
  }
  const outcomes: SeedOutcome[] = [];
  for (const definition of wanted) {
    try {
      outcomes.push(await seedOne(definition, ports));
    } catch (error) {
      throw incomplete(error, outcomes.filter((outcome) => outcome !== 'unchanged').length, wanted.length);
    }
  }
  return outcomes;
}

/** Why these plans cannot be carried out, as one error; null: they can. */
export function refusal(plans: readonly SeedPlan[]): CouponError | null {
  const problems = plans.flatMap((plan) => plan.problem ?? []);
  const [first] = problems;
  if (!first || plans.length === 1) return first ?? null;
  return new CouponError({
    code: first.code,
    kind: first.kind,
    message: `${problems.length} of ${plans.length} coupons cannot be seeded; none of them was touched`,
    why: problems.map(({ message, why }) => (why === undefined ? message : `${message} (${why})`)).join('\n'),
    fix: first.fix,
  });
}

async function seedOne(wanted: CouponDefinition, ports: SeedPorts): Promise<SeedOutcome> {
  const { ledger, coupons, keyStyle } = ports;
  const own = ports.newEpoch();
  let epoch = own;
  for (let attempt = 1; ; attempt += 1) {
    const written = epoch;
    const outcome = await changeBothStores<LedgerCoupon, SeedOutcome | null>({
      begin: async () => ledger.startSeeding(wanted, written, keyStyle),
      inRedis: async (stored) => {
        // Redis holds this epoch from here on, so a row that is taken back meanwhile has to return under the same one.
        epoch = stored.epoch;
        if (nextSeedStep(wanted, stored, keyStyle) === 'unchanged') await verifyCoupon({ verification: coupons, ledger }, stored);
        else await intoRedis(stored, stored.epoch === own, ports);
      },
      finish: async (stored) => {
        if (stored.state === 'ready') return attempt === 1 ? 'unchanged' : 'finished';
        if (!(await ledger.finishSeeding(stored.id, stored.epoch))) return null;
        return stored.epoch === own ? 'created' : 'finished';
      },
    });
    if (outcome !== null) return outcome;
    if (attempt >= ATTEMPTS) throw new Error(`coupon ${wanted.id} is being seeded and taken back by others again and again`);
  }
}

/** The steps in Redis. If it refuses them, the ledger's row goes too, but only where this very run wrote it. */
async function intoRedis(stored: LedgerCoupon, own: boolean, { ledger, coupons }: SeedPorts): Promise<void> {
  let indexed = false;
  try {
    indexed = await coupons.index(stored.id);
    const result = await coupons.seed(stored, stored);
    if (result === 'foreign' || result === 'leftovers') throw keysTaken(stored.id, result);
  } catch (error) {
    if (!own || !(error instanceof CouponError) || !REFUSALS.has(error.code)) throw error;
    try {
      if (indexed) await coupons.unindex(stored.id);
      await ledger.undoSeeding(stored.id, stored.epoch);
    } catch (undo) {
      throw halfSeeded(error, stored.id, undo);
    }
    throw error;
  }
}

/** Exit code 2 promises that nothing was changed, so a refusal after a change is a failure. */
function halfSeeded(error: CouponError, couponId: string, undo: unknown): CouponError {
  return new CouponError({
    code: 'SEED_INCOMPLETE',
    kind: isOutage(error) ? 'unreachable' : 'failure',
    message: `coupon ${couponId} is half seeded: ${error.message}`,
    why: `${error.why === undefined ? '' : `${error.why}; `}what was written could not be taken back: ${(undo as Error).message}`,
    fix: `${error.fix === undefined ? '' : `${error.fix} `}The same command then finishes it.`,
  });
}

function incomplete(error: unknown, done: number, total: number): unknown {
  if (done === 0 || !(error instanceof CouponError)) return error;
  return new CouponError({
    code: 'SEED_INCOMPLETE',
    kind: error.kind === 'usage' ? 'failure' : error.kind,
    message: `${done} of ${total} coupons were seeded, then: ${error.message}`,
    why: error.why,
    fix: `${error.fix === undefined ? '' : `${error.fix} `}The same command again goes on with the rest.`,
    cause: error,
  });
}
