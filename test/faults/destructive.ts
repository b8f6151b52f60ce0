/**
 * A campaign with a fault that destroys what a store had acknowledged. Nothing can bring those users back, so the promises are others:
 * no user has two coupons, there are not too many, the program notices wherever there is anything to notice and admits nobody until
 * `audit --repair`, afterwards both stores agree, and nobody is lost whom the blow itself did not take.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import type { RepairReport } from '../../src/audit/repair/repair.ts';
import type { Row } from './book.ts';
import { begin, CALM_MS, drained, inTime, prefixOf } from './campaign.ts';
import { explain, reasonOf } from './explain.ts';
import type { DestructiveFault, Ground } from './fault.ts';
import { judgeLoss, type Struck } from './loss-oracle.ts';
import { compact, idsOf, type Subject } from './oracle.ts';
import type { PlannedCampaign } from './plan.ts';
import { seededRandom } from './random.ts';
import { judgeRepair, type Robbed } from './repair-oracle.ts';
import type { CampaignResult, Inflicted, Loss } from './result.ts';
import type { RigOfCampaign, WholeRig } from './rig.ts';
import { knownUsers, noticeable, reachable, type Known } from './standing.ts';

/** Load between the end of the blow and the repair, and after the repair. */
const CLOSED_MS = 1_000;
const REOPENED_MS = 2_000;

export async function runDestructive<G extends Ground>(
  rig: WholeRig<G>,
  plan: PlannedCampaign,
  fault: DestructiveFault<G>,
  told: (fault: Inflicted) => void,
): Promise<CampaignResult> {
  const { coupons, load } = await begin(rig, plan);
  const [planned] = plan.faults;
  const inflicted: Inflicted[] = [];
  const broken: string[] = [];
  let struck: Struck = { destroyed: coupons.map(() => new Set<string>()), noticed: [], atUs: 0, openUs: 0 };
  const [, ...idle] = rig.drains;
  try {
    // One worker alone, which is slower than the load: then there is something to lose.
    for (const worker of idle) worker.pause();
    await until(await atWork(rig));
    await delay(CALM_MS + planned!.pauseMs);
    const { result: blow, seconds } = await inTime(fault.kind, fault.prepare(rig, seededRandom(planned!.seed)));
    const { result, seconds: more } = await inTime(fault.kind, strike(rig, coupons, blow));
    struck = result;
    for (const worker of idle) worker.resume();
    inflicted.push({ kind: fault.kind, seconds: seconds + more });
    told(inflicted[0]!);
    await delay(CLOSED_MS);
    broken.push(...admitted(load.rows, struck));
    broken.push(...(await repair(rig, idsOf({ coupons }), struck)));
    await delay(REOPENED_MS);
  } catch (error) {
    broken.push(reasonOf(error));
  } finally {
    for (const stopped of [rig.serve, ...rig.drains]) stopped.resume();
    await load.end();
  }
  const subject = { coupons, rows: load.rows, users: load.users, prefix: prefixOf(plan) };
  broken.push(...(await drained(rig, subject)));
  const verdict = await judgeLoss(subject, rig, struck);
  broken.push(...verdict.broken, ...rig.deaths.splice(0));
  const destroyed = struck.destroyed.reduce((sum, users) => sum + users.size, 0);
  const details = broken.length > 0 ? await explain(verdict.suspects, subject, rig) : [];
  return {
    name: plan.name,
    inflicted,
    broken,
    counts: verdict.counts,
    loss: { destroyed, noticed: struck.noticed.find((sign) => sign !== null) ?? null },
    details,
  };
}

/**
 * Whether the one worker that is not paused issues. It may still be waiting out what the campaign before did to it, or for the lock of
 * one that was paused in the middle of a transaction.
 */
async function atWork({ ledger, couponId }: RigOfCampaign): Promise<() => Promise<boolean>> {
  const issued = async (): Promise<number> => (await ledger.coupon(couponId))!.issuedQuantity;
  const before = await issued();
  // More than one batch: the last of the others may still be on its way.
  return async () => (await issued()) > before + 50;
}

/** Nobody is admitted during the blow, so that what it takes can be told by comparing what is known before and after. */
async function strike(rig: RigOfCampaign, coupons: Subject['coupons'], blow: () => Promise<void>): Promise<Struck> {
  rig.serve.pause();
  const atUs = nowUs();
  const before = await quiet(rig, coupons);
  await blow();
  await until(() => reachable(rig));
  const noticed: Loss['noticed'][] = [];
  const destroyed: Set<string>[] = [];
  for (const [index, { id }] of coupons.entries()) {
    // The ledger last: a worker may be on its way there.
    const after = await knownUsers(rig, id);
    destroyed.push(new Set([...before[index]!].filter((userId) => !after.has(userId))));
    const sign = await noticeable(rig, id);
    if (sign === 'suspect') await until(async () => (await rig.reader.coupon(id))?.suspect !== '');
    noticed.push(sign);
  }
  const openUs = nowUs();
  rig.serve.resume();
  return { destroyed, noticed, atUs, openUs };
}

/** What Redis was asked for before `serve` was stopped may still be on its way. */
async function quiet(rig: RigOfCampaign, coupons: Subject['coupons']): Promise<Known[]> {
  const look = async (): Promise<Known[]> => await Promise.all(coupons.map(({ id }) => knownUsers(rig, id)));
  const count = (known: Known[]): number => known.reduce((sum, users) => sum + users.size, 0);
  for (let known = await look(); ;) {
    await delay(100);
    const again = await look();
    if (count(again) === count(known)) return again;
    known = again;
  }
}

/** Whoever asks for the first time while a coupon is out of service must not be accepted. */
function admitted(rows: readonly Row[], { noticed, openUs }: Struck): string[] {
  const firstAsked = new Map<string, number>();
  for (const { user, coupon, sentUs } of rows) {
    const key = `${coupon} ${user}`;
    if (!firstAsked.has(key)) firstAsked.set(key, sentUs);
  }
  const wrong = rows.filter(
    ({ user, coupon, outcome }) => noticed[coupon] && outcome === 'accepted' && firstAsked.get(`${coupon} ${user}`)! > openUs,
  );
  return wrong.length === 0 ? [] : [`${wrong.length} users were accepted while their coupon was out of service`];
}

/** Once as an operator who decides nothing; and once more with --reopen, where accepted users may be missing. */
async function repair({ command, reader }: RigOfCampaign, couponIds: readonly string[], struck: Struck): Promise<string[]> {
  const argv = ['audit', ...couponIds, '--repair', '--json'];
  const { exitCode, stdout, stderr } = await command(argv);
  if (exitCode !== 0 && exitCode !== 4) return [`audit --repair ended with ${exitCode}: ${stderr.trim()}`];
  const report = JSON.parse(stdout) as RepairReport;
  const states = await Promise.all(couponIds.map(async (id) => (await reader.coupon(id))?.state ?? 'missing'));
  const robbed = couponIds.map((id, index): Robbed => {
    return { id, destroyed: struck.destroyed[index]!.size, noticed: struck.noticed[index]!, state: states[index]! };
  });
  const broken = judgeRepair(report, robbed);
  if (exitCode === 0) return broken;
  const again = await command([...argv, '--reopen']);
  if (again.exitCode !== 0)
    broken.push(`audit --repair --reopen ended with ${again.exitCode}: ${compact(again.stdout) || again.stderr.trim()}`);
  return broken;
}

function nowUs(): number {
  return performance.now() * 1_000;
}
