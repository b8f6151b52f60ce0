/** The words of a repair: its steps, what each finding is answered with, and what is left to a person. Pure. */
import type { FindingCode } from '../findings.ts';
import type { FindingReport } from '../tally.ts';

/** In the order in which they are taken: first what keeps new harm away, then counters and users; the coupon is back in service last. */
export const REPAIR_STEPS = {
  drop_life: 'delete the users of a life that the ledger has reset, with their issued hashes; only with --confirm',
  rebuild_coupon: 'bind the coupon in Redis to the ledger again, out of service until the end; every user stays',
  recount: 'set the counter of the ledger to the rows that it counts',
  adopt: 'write the admission of users whom another service queued',
  restore_row: 'write the ledger row that the issued hash of an accepted user proves, as the hash says',
  rebuild_admission: 'write the admission that the other places prove, with one request time for all of them',
  rebuild_hash: 'write the issued hash from the ledger; a use that only the hash knew is recorded in the ledger',
  requeue: 'put back into the queue, at the original place',
  set_aside: 'dead-letter as over_promised the users who asked last: more were accepted than there are coupons',
  restore_settings: 'bring settings and fence up to what both stores have reached',
  set_stock: 'set the stock to total + returned − accepted',
  clear_suspect: 'put the coupon back into service',
  pause: 'pause the coupon, because accepted users may be missing; --reopen opens it',
  reopen: 'open the coupon, unless it is closed, although accepted users may be missing',
} as const;

export type RepairStep = keyof typeof REPAIR_STEPS;

/** Findings that only a person can answer, and how. */
const MANUAL: Partial<Record<FindingCode, string>> = {
  over_issued: 'decide who keeps a coupon: rows were written past the guard of the ledger, and a repair takes no coupon away',
  served_out_of_order: 'nothing to repair: it has happened',
  key_style_mismatch: 'run it with the key style that the coupon was seeded with',
  key_wrong_type: 'find out which program writes the key, and move it away with RENAME (or DEL); then repair again',
  hash_wrong_type: 'find out which program writes the key, and move it away with RENAME (or DEL); then repair again',
  coupon_not_in_ledger:
    'ask first whose it is: another environment may share this Redis (--key-prefix keeps two apart), or DATABASE_URL be the wrong one',
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

export interface PlannedStep {
  couponId: string;
  step: RepairStep;
  /** Users it is about, each in one step only; 1 for a step about the coupon itself. */
  count: number;
  /** The first user ids in order, at most 10. */
  sample: string[];
  because: FindingCode[];
}

/** A finding that only a person can answer. */
export interface LeftToYou {
  couponId: string;
  code: FindingCode;
  advice: string;
}

/** Users of a coupon. */
export interface NamedUsers {
  couponId: string;
  users: string[];
}

export interface RepairPlan {
  steps: PlannedStep[];
  manual: LeftToYou[];
  /** Users whom `drop_life` deletes from Redis; only done with `--confirm`. */
  takesAway: NamedUsers[];
  /** Users whom `set_aside` dead-letters, the first one asked last. */
  deadLetters: NamedUsers[];
  /** Accepted users who may be missing since Redis lost its records of them, at most. */
  mayBeMissing: { couponId: string; upTo: number }[];
}

export function leftToYou(findings: readonly Pick<FindingReport, 'code' | 'couponId'>[]): LeftToYou[] {
  return findings.flatMap(({ code, couponId }) => {
    const advice = MANUAL[code];
    return advice === undefined ? [] : [{ couponId, code, advice }];
  });
}

/** What has happened, and keys of another type: a coupon of which nothing else was found is left as it is. */
const UNTOUCHED: ReadonlySet<FindingCode> = new Set(['served_out_of_order', 'hash_wrong_type']);

export function mayAnswer(findings: readonly Pick<FindingReport, 'code'>[]): boolean {
  return findings.some(({ code }) => !UNTOUCHED.has(code));
}

/** Whether the coupon goes out of service for the time of its repair. */
export function isDangerous(findings: readonly Pick<FindingReport, 'code'>[]): boolean {
  return findings.some((found) => DANGEROUS.has(found.code));
}

/** In the order of {@link REPAIR_STEPS}. */
export function inOrder(steps: readonly PlannedStep[]): PlannedStep[] {
  const order = Object.keys(REPAIR_STEPS);
  return steps.toSorted((a, b) => order.indexOf(a.step) - order.indexOf(b.step));
}
