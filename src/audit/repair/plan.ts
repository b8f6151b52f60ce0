/**
 * What a repair does about each finding. Pure; `audit/repair/repair.ts` does it. Steps are in the order in which they are taken: first what
 * keeps new harm away, then the users, then the counters, and the coupon goes back into service last.
 */
import type { FindingCode } from '../findings.ts';

export const REPAIR_STEPS = {
  drop_life: 'delete what Redis holds under another epoch, its users included; only with --confirm',
  rebuild_coupon: 'make the coupon anew in Redis from the ledger, out of service until the end',
  restore_row: 'write the ledger row that an issued hash proves, as the hash says; a hash of somebody who was never accepted is left alone',
  rebuild_admission: 'write down the admission that the other places prove, with one request time for all of them',
  adopt: 'write down the admission of whom another service queued',
  rebuild_hash: 'write the issued hash from the ledger; a use that only the hash knew is recorded in the ledger',
  requeue: 'put back into the queue, at the original place',
  recount: 'set the counter of the ledger to the rows that it counts',
  set_aside: 'set aside as over_promised whoever asked last: there are fewer pieces than promises',
  restore_settings: 'bring settings and claim number up to what both stores have reached',
  set_stock: 'set the stock to total + returned − accepted',
  clear_suspect: 'put the coupon back into service',
} as const;

export type RepairStep = keyof typeof REPAIR_STEPS;

const ANSWERS: Readonly<Record<FindingCode, RepairStep | { manual: string }>> = {
  over_issued: { manual: 'decide who keeps a coupon: rows were written past the guard of the ledger, and nobody is taken one from here' },
  over_admitted: 'set_aside',
  stock_mismatch: 'set_stock',
  stock_missing: 'set_stock',
  total_mismatch: 'restore_settings',
  issued_quantity_mismatch: 'recount',
  lost: 'requeue',
  lease_without_claim: 'requeue',
  claim_without_lease: 'requeue',
  lease_absurd: 'requeue',
  hash_missing: 'rebuild_hash',
  coupon_missing: 'rebuild_coupon',
  redis_behind: 'restore_settings',
  ledger_behind: 'restore_settings',
  row_without_admission: 'rebuild_admission',
  place_without_admission: 'rebuild_admission',
  hash_only: 'restore_row',
  hash_mismatch: 'rebuild_hash',
  hash_unreadable_time: 'rebuild_hash',
  dead_but_issued: 'rebuild_hash',
  request_time_mismatch: 'rebuild_admission',
  served_out_of_order: { manual: 'nothing to repair: it has happened' },
  epoch_missing: 'rebuild_coupon',
  epoch_mismatch: 'drop_life',
  version_mismatch: 'restore_settings',
  settings_mismatch: 'restore_settings',
  settings_unreadable_time: 'restore_settings',
  suspect: 'clear_suspect',
  key_style_mismatch: { manual: 'run it with the key style that the coupon was seeded with' },
  key_wrong_type: { manual: `find out which program writes the key, and move it away with RENAME (or DEL); then repair again` },
  hash_wrong_type: { manual: `find out which program writes the key, and move it away with RENAME (or DEL); then repair again` },
  coupon_not_in_ledger: { manual: 'check DATABASE_URL; if the coupon is not wanted any more, seed it with --reset' },
};

/** Findings with which the coupon must take no requests and hand out no claims until it is mended. */
const DANGEROUS: ReadonlySet<FindingCode> = new Set([
  'coupon_missing',
  'epoch_missing',
  'epoch_mismatch',
  'redis_behind',
  'ledger_behind',
  'over_admitted',
  'total_mismatch',
  'version_mismatch',
  'stock_missing',
]);

/** What `audit` found, as much of it as a plan needs. */
export interface FoundHere {
  code: FindingCode;
  couponId: string;
  count: number;
  sample: readonly string[];
}

export interface PlannedStep {
  couponId: string;
  step: RepairStep;
  /** Users it is about; 1 for a step about the coupon itself. A user with two findings of one step counts twice. */
  count: number;
  sample: string[];
  because: FindingCode[];
}

/** A finding that only a person can answer. */
export interface LeftToYou {
  couponId: string;
  code: FindingCode;
  advice: string;
}

/** Users whom a step deletes from Redis. */
export interface TakenAway {
  couponId: string;
  users: string[];
}

export interface RepairPlan {
  steps: PlannedStep[];
  manual: LeftToYou[];
  /** Only done with `--confirm`. */
  takesAway: TakenAway[];
}

/** @param adoptable members of the queue that another service wrote, by coupon */
export function planRepair(findings: readonly FoundHere[], adoptable: readonly { couponId: string; adoptable: number }[]): RepairPlan {
  const steps: PlannedStep[] = [];
  const manual: LeftToYou[] = [];
  for (const { code, couponId, count, sample } of findings) {
    const answer = ANSWERS[code];
    if (typeof answer !== 'string') {
      manual.push({ couponId, code, advice: answer.manual });
      continue;
    }
    const there = steps.find((one) => one.couponId === couponId && one.step === answer);
    if (!there) steps.push({ couponId, step: answer, count, sample: [...sample], because: [code] });
    else Object.assign(there, { count: there.count + count, sample: merged(there.sample, sample), because: [...there.because, code] });
  }
  for (const one of adoptable) {
    if (one.adoptable > 0) steps.push({ couponId: one.couponId, step: 'adopt', count: one.adoptable, sample: [], because: [] });
  }
  const order = Object.keys(REPAIR_STEPS);
  return { steps: steps.toSorted((a, b) => byCoupon(a, b) || order.indexOf(a.step) - order.indexOf(b.step)), manual, takesAway: [] };
}

/** Whether the coupon goes out of service for the time of its repair. */
export function isDangerous(findings: readonly Pick<FoundHere, 'code'>[]): boolean {
  return findings.some((found) => DANGEROUS.has(found.code));
}

function byCoupon(a: PlannedStep, b: PlannedStep): number {
  return a.couponId < b.couponId ? -1 : a.couponId > b.couponId ? 1 : 0;
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].toSorted().slice(0, 10);
}
