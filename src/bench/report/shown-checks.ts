import type { CheckResult } from '../checks/integrity.ts';
import type { BenchReport } from './report.ts';
import { number } from '../../lib/text/figures.ts';

/** Coupons that are shown one by one; with more, those that a check says the same of share a line. */
const ONE_BY_ONE = 5;
/** Coupons with a finding that are named before the others are counted. */
const NAMED = 3;

/** A result as it is shown: of one coupon, or of several that it is the same for. */
export interface ShownCheck extends CheckResult {
  /** Which coupon, or how many; empty where there is only one. */
  of: string;
}

export function shownChecks({ integrity, scenario }: Pick<BenchReport, 'integrity' | 'scenario'>): ShownCheck[] {
  const { length } = scenario.coupons;
  if (length <= ONE_BY_ONE) return integrity.map((result) => ({ ...result, of: length > 1 ? result.couponId : '' }));
  const groups = new Map<string, CheckResult[]>();
  for (const result of integrity) {
    const key = `${result.check} ${result.status} ${result.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].flatMap((results): ShownCheck[] => {
    const named = results[0]!.status === 'fail' ? results.slice(0, NAMED) : [];
    const others = results.slice(named.length);
    return [
      ...named.map((result) => ({ ...result, of: result.couponId })),
      ...(others.length === 0 ? [] : [together(others, named.length > 0)]),
    ];
  });
}

function together(results: readonly CheckResult[], more: boolean): ShownCheck {
  return {
    ...results[0]!,
    of: `${number(results.length)} ${more ? 'more ' : ''}coupons`,
    count: results.reduce((sum, { count }) => sum + count, 0),
    sample: results.flatMap(({ sample }) => sample).slice(0, 10),
  };
}

/** `1,000 × spring`, or how many of them there are. */
export function couponsText(coupons: readonly { couponId: string; total: number }[]): string {
  if (coupons.length <= ONE_BY_ONE) return coupons.map(({ couponId, total }) => `${number(total)} × ${couponId}`).join(', ');
  const total = coupons.reduce((sum, coupon) => sum + coupon.total, 0);
  return `${number(total)} coupons of ${number(coupons.length)} kinds, ${coupons[0]!.couponId} to ${coupons.at(-1)!.couponId}`;
}
