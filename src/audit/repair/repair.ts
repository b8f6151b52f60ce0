import { planRepair, type RepairPlan, type RepairStep } from './plan.ts';
import { audit, type AuditEvents, type AuditOptions, type AuditReport } from '../audit.ts';
import { repairCoupon } from './coupon.ts';
import type { RepairPorts } from './ports.ts';

export type { RepairPorts } from './ports.ts';

export interface RepairOptions extends AuditOptions {
  /** Say what would be done, change nothing. */
  dryRun: boolean;
  /** Also take the steps that delete users, which the plan names. */
  confirm: boolean;
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

/** A mended thing may bring the next one to light, such as users beyond the total when they are all admitted again. */
const ROUNDS = 3;

/**
 * Audits, mends what was found, and audits again. It never issues more than the total and never takes a coupon from somebody who has
 * one: that is what the ledger's rows say, and the rows are only ever added to. It may be interrupted anywhere and run again.
 *
 * @throws CouponError as {@link audit}
 */
export async function repair(ports: RepairPorts, options: RepairOptions, events: RepairEvents): Promise<RepairReport> {
  const before = await audit(ports, options, events);
  const plan = await planned(ports, before);
  if (options.dryRun || plan.steps.length === 0)
    return { ok: before.ok, dryRun: options.dryRun, confirmed: false, plan, done: [], before, after: null };
  const done: RepairReport['done'] = [];
  const told: RepairEvents = {
    ...events,
    mended(couponId, step, count) {
      let there = done.find((one) => one.couponId === couponId && one.step === step);
      if (!there) done.push((there = { couponId, step, count: 0 }));
      there.count += count;
      events.mended(couponId, step, there.count);
    },
  };
  let after = before;
  for (let round = 1; round <= ROUNDS && isMendable(after, options); round += 1) {
    await repairAll(ports, options, after, told);
    after = await audit(ports, options, events);
  }
  return { ok: after.ok, dryRun: false, confirmed: options.confirm, plan, done, before, after };
}

const deletesUsers = ({ code }: { code: string }): boolean => code === 'epoch_mismatch';

/** The plan, with the users whom it would delete. */
async function planned(ports: RepairPorts, found: AuditReport): Promise<RepairPlan> {
  const plan = planRepair(found.findings, found.coupons);
  for (const step of plan.steps) {
    if (step.step !== 'drop_life') continue;
    const users = new Set<string>();
    for (const source of ['admitted', 'waiting', 'leases', 'dead'] as const) {
      for await (const page of ports.reader.walk(step.couponId, source)) for (const userId of page) users.add(userId);
    }
    const names = [...users].toSorted();
    Object.assign(step, { count: names.length, sample: names.slice(0, 10) });
    plan.takesAway.push({ couponId: step.couponId, users: names });
  }
  return plan;
}

/** Whether another round would change something. */
function isMendable(found: AuditReport, { confirm }: RepairOptions): boolean {
  const blocked = new Set(confirm ? [] : found.findings.filter(deletesUsers).map(({ couponId }) => couponId));
  return planRepair(found.findings, found.coupons).steps.some(({ couponId }) => !blocked.has(couponId));
}

async function repairAll(ports: RepairPorts, options: RepairOptions, found: AuditReport, told: RepairEvents): Promise<void> {
  const { steps } = planRepair(found.findings, found.coupons);
  for (const couponId of new Set(steps.map((step) => step.couponId))) {
    const coupon = await ports.ledger.coupon(couponId);
    // Reset or purged since the audit: its findings belong to a life that is over.
    if (coupon?.state !== 'ready') continue;
    const findings = found.findings.filter((one) => one.couponId === couponId);
    if (!options.confirm && findings.some(deletesUsers)) continue;
    await repairCoupon(ports, coupon, findings, options.scan, (step, count) => {
      if (count > 0) told.mended(couponId, step, count);
    });
  }
}
