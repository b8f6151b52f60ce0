import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ownEvidence } from '../../src/bench/evidence/own-stores.ts';
import { settle } from '../../src/bench/settle.ts';
import { reset } from '../../src/operate/reset.ts';
import { seed } from '../../src/operate/seed.ts';
import { until } from '../support/until.ts';
import { explain, reasonOf } from './explain.ts';
import type { Ground, HarmlessFault } from './fault.ts';
import { startLoad, type Load } from './load.ts';
import { judge, type Subject } from './oracle.ts';
import type { PlannedCampaign } from './plan.ts';
import { seededRandom } from './random.ts';
import type { CampaignResult, Inflicted } from './result.ts';
import type { RigOfCampaign, WholeRig } from './rig.ts';
import { reachable } from './standing.ts';

/** Generous: a backlog of a whole outage has to go through workers that take their time. */
const DRAINED_MS = 60_000;
const QUIET_MS = 500;
const FAULT_MS = 90_000;
/** Load before the first fault and after the last. */
export const CALM_MS = 500;

/** One campaign under harmless faults, from fresh coupons to the verdict. `told` hears of each fault as it is over. */
export async function runCampaign<G extends Ground>(
  rig: WholeRig<G>,
  plan: PlannedCampaign,
  faults: ReadonlyMap<string, HarmlessFault<G>>,
  told: (fault: Inflicted) => void,
  drainedMs = DRAINED_MS,
): Promise<CampaignResult> {
  const { coupons, load } = await begin(rig, plan);
  const inflicted: Inflicted[] = [];
  const broken: string[] = [];
  try {
    await delay(CALM_MS);
    for (const { kind, pauseMs, seed: own } of plan.faults) {
      await delay(pauseMs);
      // Our own connections; those of the program may still be on their way back.
      await until(() => reachable(rig));
      const { seconds } = await inTime(kind, faults.get(kind)!.inflict(rig, seededRandom(own)));
      inflicted.push({ kind, seconds });
      told({ kind, seconds });
    }
    await delay(CALM_MS);
  } catch (error) {
    broken.push(reasonOf(error));
  } finally {
    await load.end();
  }
  const subject = { coupons, rows: load.rows, users: load.users, prefix: prefixOf(plan) };
  broken.push(...(await drained(rig, subject, drainedMs)));
  const { broken: more, counts, suspects } = await judge(subject, rig);
  broken.push(...more);
  for (const look of rig.looks.splice(0)) broken.push(...(await look()));
  broken.push(...rig.deaths.splice(0));
  const details = broken.length > 0 ? await explain(suspects, subject, rig) : [];
  return { name: plan.name, inflicted, broken, counts, loss: null, details };
}

/** Fresh coupons, and users who ask for them. */
export async function begin(rig: RigOfCampaign, plan: PlannedCampaign): Promise<{ coupons: Subject['coupons']; load: Load }> {
  const coupons = [`${plan.name}-a`, `${plan.name}-b`].map((id, index) => ({ id, total: plan.totals[index]! }));
  for (const { id, total } of coupons) await seedCoupon(rig, id, total);
  const couponIds = coupons.map(({ id }) => id);
  rig.couponId = couponIds[plan.lasting]!;
  const load = startLoad({ endpoint: rig.endpoint, couponIds, rate: plan.rate, prefix: prefixOf(plan), random: seededRandom(plan.seed) });
  return { coupons, load };
}

export function prefixOf({ name }: Pick<PlannedCampaign, 'name'>): string {
  return `${name}-user-`;
}

async function seedCoupon({ ledger, coupons }: RigOfCampaign, id: string, total: number): Promise<void> {
  const definition = { id, name: 'Faults', total, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  await seed(definition, { ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
}

/** How long it took. @throws Error that names the kind, when it failed or is not over in time */
export async function inTime<T>(kind: string, work: Promise<T>): Promise<{ seconds: number; result: T }> {
  const began = performance.now();
  const over = new AbortController();
  const late = delay(FAULT_MS, null, { signal: over.signal }).catch(() => null);
  try {
    const first = await Promise.race([work.then((result) => ({ result })), late]);
    if (first === null) throw new Error(`it is still not over after ${FAULT_MS / 1_000} s`);
    return { seconds: (performance.now() - began) / 1_000, result: first.result };
  } catch (error) {
    throw new Error(`${kind}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
  } finally {
    over.abort();
  }
}

/** Waits until nobody waits and nobody is claimed; a line when that does not come to pass. */
export async function drained(
  { reader, ledger }: Pick<RigOfCampaign, 'reader' | 'ledger'>,
  { coupons }: Pick<Subject, 'coupons'>,
  timeoutMs = DRAINED_MS,
): Promise<string[]> {
  const { settled } = await settle(
    ownEvidence({ redis: reader, ledger, ownKeyspace: true }),
    { coupons: coupons.map(({ id }) => ({ couponId: id, accepted: [] })), timeoutMs, quietForMs: QUIET_MS },
    { now: () => performance.now(), sleep: (ms) => delay(ms) },
  );
  return settled ? [] : [`not drained after ${timeoutMs / 1_000} s`];
}

/** Takes every coupon away, so that the next campaign starts with empty stores. */
export async function clear({ ledger, coupons }: RigOfCampaign): Promise<void> {
  for (const { id } of await ledger.coupons()) await reset(id, { ledger, coupons, newEpoch: randomUUID });
}
