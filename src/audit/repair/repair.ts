import { leftToYou, mayAnswer, type RepairPlan, type RepairStep } from './plan.ts';
import { audit, type AuditEvents, type AuditOptions, type AuditReport } from '../audit.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import type { FindingReport } from '../tally.ts';
import { repairCoupon } from './coupon.ts';
import { planCoupon, type CouponPlan } from './plan-coupon.ts';
import type { RepairPorts } from './ports.ts';

export type { RepairPorts } from './ports.ts';

export interface RepairOptions extends AuditOptions {
  /** Say what would be done, change nothing. */
  dryRun: boolean;
  /** Also take the steps that delete users, which the plan names. */
  confirm: boolean;
  /** Open coupons of which accepted users may be missing. */
  reopen: boolean;
}

export interface RepairReport {
  /** No finding, afterwards; with `dryRun` as it stands. */
  ok: boolean;
  dryRun: boolean;
  /** Steps that delete users were taken. */
  confirmed: boolean;
  plan: RepairPlan;
  /** What was done, in users (or 1 for the coupon itself). */
  done: { couponId: string; step: RepairStep; count: number }[];
  before: AuditReport;
  /** Null: nothing was changed. */
  after: AuditReport | null;
}

/** What a repair tells while it runs: how many users, or 1 for the coupon itself, a step has mended so far. */
export interface RepairEvents extends AuditEvents {
  mended(couponId: string, step: RepairStep, count: number): void;
}

/**
 * Audits, mends what was found, and audits again. A dry run makes the same plan and stops there. A repair never issues more than the
 * total, never takes a coupon from a user who has one, and deletes only users of a life that the ledger has reset. It may be interrupted
 * anywhere and run again.
 *
 * @throws CouponError as {@link audit}
 */
export async function repair(ports: RepairPorts, options: RepairOptions, events: RepairEvents): Promise<RepairReport> {
  const { dryRun, confirm } = options;
  const before = await audit(ports, options, events);
  const done: RepairReport['done'] = [];
  const mended = (couponId: string, step: RepairStep, count: number): void => {
    if (count === 0) return;
    let there = done.find((one) => one.couponId === couponId && one.step === step);
    if (!there) done.push((there = { couponId, step, count: 0 }));
    there.count += count;
    events.mended(couponId, step, there.count);
  };
  const plans: CouponPlan[] = [];
  let touched = false;
  const manual = leftToYou(before.findings);
  for (const { coupon, findings } of await toRepair(ports, before)) {
    if (await ports.repairs.isForgetting(coupon.id, coupon.epoch)) {
      // To a repair the old id and the tombstone are two users, and both would get a coupon.
      manual.push(...findings.map(({ code }) => ({ couponId: coupon.id, code, advice: FORGET_FIRST })));
      continue;
    }
    const plan = await planCoupon(ports, coupon, findings, options);
    plans.push(plan);
    const isNothing = plan.steps.length === 0 && !plan.isDangerous;
    if (dryRun || isNothing || (plan.takesAway.length > 0 && !confirm)) continue;
    touched = true;
    await repairCoupon(ports, coupon, plan, options, (step, count) => mended(coupon.id, step, count));
  }
  const plan = together(plans, manual);
  if (!touched) return { ok: before.ok, dryRun, confirmed: false, plan, done, before, after: null };
  const after = await audit(ports, options, events);
  return { ok: after.ok, dryRun, confirmed: confirm && plan.takesAway.length > 0, plan, done, before, after };
}

const FORGET_FIRST = 'a `forget` was begun and not finished: run it again (`log` names it); then repair again';

/** Coupons of which something was found that a repair may answer. */
async function toRepair(ports: RepairPorts, found: AuditReport): Promise<{ coupon: LedgerCoupon; findings: FindingReport[] }[]> {
  const all = [];
  for (const { couponId, adoptable, skipped } of found.coupons) {
    const findings = found.findings.filter((one) => one.couponId === couponId);
    if (skipped !== null || (!mayAnswer(findings) && adoptable === 0)) continue;
    const coupon = await ports.ledger.coupon(couponId);
    // Reset or purged since the audit: its findings belong to a life that is over.
    if (coupon?.state === 'ready') all.push({ coupon, findings });
  }
  return all;
}

function together(plans: readonly CouponPlan[], manual: RepairPlan['manual']): RepairPlan {
  const named = (key: 'takesAway' | 'deadLetters'): RepairPlan['takesAway'] =>
    plans.filter((one) => one[key].length > 0).map(({ couponId, [key]: users }) => ({ couponId, users }));
  return {
    steps: plans.flatMap((one) => one.steps),
    manual,
    takesAway: named('takesAway'),
    deadLetters: named('deadLetters'),
    mayBeMissing: plans.flatMap(({ couponId, missing }) => (missing === null ? [] : [{ couponId, upTo: missing }])),
  };
}
