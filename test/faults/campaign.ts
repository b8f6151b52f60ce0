import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ownEvidence } from '../../src/app/bench-own-stores.ts';
import { settle } from '../../src/app/bench-settle.ts';
import { reset } from '../../src/app/reset.ts';
import { seed } from '../../src/app/seed.ts';
import type { HarmlessFault } from './fault.ts';
import { startLoad, type Load } from './load.ts';
import { judge, type Subject, type Verdict } from './oracle.ts';
import type { PlannedCampaign, PlannedFault } from './plan.ts';
import { seededRandom } from './random.ts';
import type { WholeRig } from './rig.ts';

export interface Inflicted {
  kind: string;
  seconds: number;
}

export interface CampaignResult {
  name: string;
  inflicted: Inflicted[];
  verdict: Verdict;
  subject: Subject;
}

export interface CampaignEvents {
  inflicted(fault: Inflicted): void;
}

/** Generous: a backlog of a whole outage has to go through workers that take their time. */
const DRAINED_MS = 60_000;
const QUIET_MS = 500;
const FAULT_MS = 90_000;
/** Load before the first fault and after the last. */
const CALM_MS = 500;

/** One campaign under harmless faults, from fresh coupons to the verdict. */
export async function runCampaign(
  rig: WholeRig,
  plan: PlannedCampaign,
  faults: ReadonlyMap<string, HarmlessFault>,
  events: CampaignEvents,
): Promise<CampaignResult> {
  const { coupons, load } = await begin(rig, plan);
  const inflicted: Inflicted[] = [];
  const broken: string[] = [];
  try {
    await delay(CALM_MS);
    for (const planned of plan.faults) {
      const fault = await inflict(rig, faults.get(planned.kind)!, planned);
      inflicted.push(fault);
      events.inflicted(fault);
    }
    await delay(CALM_MS);
  } catch (error) {
    broken.push(error instanceof Error ? error.message : String(error));
  } finally {
    await load.end();
  }
  const subject = { coupons, rows: load.rows, users: load.users, prefix: prefixOf(plan) };
  if (!(await drained(rig, subject))) broken.push(`not drained after ${DRAINED_MS / 1_000} s`);
  const verdict = await judge(subject, rig);
  for (const look of rig.looks.splice(0)) broken.push(...(await look()));
  return { name: plan.name, inflicted, subject, verdict: { ...verdict, broken: [...broken, ...verdict.broken] } };
}

/** Fresh coupons and users who ask for them. */
export async function begin(rig: WholeRig, plan: PlannedCampaign): Promise<{ coupons: Subject['coupons']; load: Load }> {
  const coupons = [
    { id: plan.name, total: plan.total },
    { id: `${plan.name}-other`, total: plan.otherTotal },
  ];
  for (const { id, total } of coupons) await seedCoupon(rig, id, total);
  rig.couponId = plan.name;
  const load = startLoad({
    endpoint: rig.endpoint,
    couponIds: coupons.map(({ id }) => id),
    rate: plan.rate,
    prefix: prefixOf(plan),
    random: seededRandom(plan.seed),
  });
  return { coupons, load };
}

export function prefixOf({ name }: Pick<PlannedCampaign, 'name'>): string {
  return `${name}-user-`;
}

async function seedCoupon({ ledger, coupons }: WholeRig, id: string, total: number): Promise<void> {
  const definition = { id, name: 'Faults', total, opensAt: null, closesAt: null, expiry: { kind: 'never' } } as const;
  await seed(definition, { ledger, coupons, newEpoch: randomUUID, keyStyle: 'plain' });
}

async function inflict(rig: WholeRig, fault: HarmlessFault, { pauseMs, seed: seedOfFault }: PlannedFault): Promise<Inflicted> {
  await delay(pauseMs);
  const began = performance.now();
  const timer = new AbortController();
  const late = delay(FAULT_MS, undefined, { signal: timer.signal }).then(
    () => {
      throw new Error(`${fault.kind} is still not over after ${FAULT_MS / 1_000} s`);
    },
    () => undefined,
  );
  try {
    await Promise.race([fault.inflict(rig, seededRandom(seedOfFault)), late]);
  } catch (error) {
    throw new Error(`${fault.kind} failed: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
  } finally {
    timer.abort();
  }
  return { kind: fault.kind, seconds: (performance.now() - began) / 1_000 };
}

/** Nobody waits and nobody is claimed. */
export async function drained({ reader, ledger }: WholeRig, { coupons }: Pick<Subject, 'coupons'>): Promise<boolean> {
  const { settled } = await settle(
    ownEvidence({ redis: reader, ledger, ownKeyspace: true }),
    { coupons: coupons.map(({ id }) => ({ couponId: id, accepted: [] })), timeoutMs: DRAINED_MS, quietForMs: QUIET_MS },
    { now: () => performance.now(), sleep: (ms) => delay(ms) },
  );
  return settled;
}

/** Takes every coupon away, so that the next campaign starts with empty stores. */
export async function clear({ ledger, coupons }: WholeRig): Promise<void> {
  for (const { id } of await ledger.coupons()) await reset(id, { ledger, coupons, newEpoch: randomUUID });
}
