import type { Strategy } from '../../campaign/strategy.ts';
import type { CheckName, Reason } from '../checks/integrity.ts';
import type { BenchReport } from '../report/report.ts';

/** One run of a scenario under one strategy, in the figures by which strategies differ. */
export interface StrategyRow {
  strategy: Strategy;
  scenario: string;
  /** Milliseconds until a user knew that he was in; null when no user got in. */
  acceptedP50Ms: number | null;
  acceptedP99Ms: number | null;
  answeredPerSecond: number;
  acceptedPerSecond: number | null;
  /** Coupons issued or promised beyond the total. Null where that could not be checked, here and below. */
  overIssued: number | null;
  /** Users with more than one accepted request. */
  acceptedTwice: number | null;
  /** Coupons that no user has, although users were told that all were gone. */
  leaked: number | null;
  /** Users who were accepted and have no coupon. */
  lost: number | null;
  /** What the counter that decides said in the end, over all coupons: Redis's, or with `rdb-lock` the ledger's. */
  stock: number | null;
  verdict: BenchReport['verdict']['integrity'];
}

/** Rows for the reports that say under which strategy they ran, in their order. */
export function compareStrategies(reports: readonly BenchReport[]): StrategyRow[] {
  return reports.flatMap((report) => (report.scenario.strategy === null ? [] : [rowOf(report, report.scenario.strategy)]));
}

function rowOf(report: BenchReport, strategy: Strategy): StrategyRow {
  const { latency, throughput, coupons, verdict, scenario } = report;
  return {
    strategy,
    scenario: scenario.name,
    acceptedP50Ms: latency.accepted?.p50 ?? null,
    acceptedP99Ms: latency.accepted?.p99 ?? null,
    answeredPerSecond: throughput.requestsPerSecond,
    acceptedPerSecond: throughput.acceptsPerSecond,
    overIssued: counted(report, 'issued_within_total'),
    acceptedTwice: counted(report, 'one_per_user', ['ACCEPTED_TWICE']),
    leaked: leakedOf(report),
    lost: counted(report, 'accepted_are_issued'),
    stock: coupons.reduce<number | null>((sum, coupon) => {
      const left = strategy === 'rdb-lock' ? coupon.issued && coupon.total - coupon.issued : coupon.stock;
      return sum === null || left === null ? null : sum + left;
    }, 0),
    verdict: verdict.integrity,
  };
}

/** What a check counted where it failed, over all coupons; null when it was not made for one of them. */
function counted({ integrity }: BenchReport, check: CheckName, reasons?: readonly Reason[]): number | null {
  const results = integrity.filter((result) => result.check === check);
  if (results.length === 0 || results.some(({ status }) => status === 'not_checked')) return null;
  const failed = results.filter(({ status, reason }) => status === 'fail' && (!reasons || (reason !== null && reasons.includes(reason))));
  return failed.reduce((sum, { count }) => sum + count, 0);
}

/**
 * The check names the worst thing only, which may be that users were refused too early; what is left over in the end is what
 * leaked.
 */
function leakedOf({ integrity, coupons }: BenchReport): number | null {
  let leaked = 0;
  for (const { couponId, total, issued, dead } of coupons) {
    const result = integrity.find((one) => one.check === 'sold_out_when_gone' && one.couponId === couponId);
    if (!result || result.status === 'not_checked' || issued === null) return null;
    if (result.status === 'fail') leaked += Math.max(0, total - issued - (dead ?? 0));
  }
  return leaked;
}
