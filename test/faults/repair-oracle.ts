import type { RepairReport } from '../../src/audit/repair/repair.ts';
import type { Loss } from './result.ts';

/** A coupon after a blow. */
export interface Robbed {
  id: string;
  /** Users whom neither store knows any more. */
  destroyed: number;
  noticed: Loss['noticed'];
  /** In Redis, after the first repair. */
  state: string;
}

/**
 * What a repair without --confirm and --reopen must and must not have done: it deletes no user, it says how many accepted users may be
 * missing wherever Redis lost what the ledger can see, and leaves such a coupon paused.
 *
 * @returns broken promises
 */
export function judgeRepair(report: Pick<RepairReport, 'plan' | 'ok'>, coupons: readonly Robbed[]): string[] {
  const broken = report.plan.takesAway.map(({ couponId, users }) => `the repair of ${couponId} would take ${users.length} users away`);
  for (const { id, destroyed, noticed, state } of coupons) {
    const said = report.plan.mayBeMissing.find(({ couponId }) => couponId === id)?.upTo ?? 0;
    if (noticed === 'gone' && said < destroyed) broken.push(`${id}: ${destroyed} users are gone, and the repair says up to ${said}`);
    if (said > 0 && state !== 'paused') broken.push(`${id}: up to ${said} users may be missing, and it is ${state}, not paused`);
    if (said > 0 && report.ok) broken.push(`${id}: up to ${said} users may be missing, and the repair says that all is well`);
  }
  return broken;
}
