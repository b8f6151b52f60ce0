/**
 * The verdict on a run: one value, made here and nowhere else, that every report and the exit code share.
 *
 * Checks that found nothing wrong prove something only when a sale took place. A wrong path, a limiter or a dead database
 * leaves them nothing to look at, and such a run ends as inconclusive, with the reasons.
 */
import { isByPlan } from '../checks/exercise.ts';
import { outcomesOfAll } from '../checks/demand.ts';
import type { Demand } from '../checks/demand.ts';
import type { CheckName, CheckResult } from '../checks/integrity.ts';
import type { Outcome, OutcomeCounts } from '../../campaign/outcome.ts';
import type { ThresholdResult } from '../scenario/thresholds.ts';

/** Why a run is inconclusive. `bench/report/verdict-text.ts` has a sentence for each. */
export const VERDICT_REASONS = [
  /** Checks could not be made, and the scenario does not skip them. */
  'CHECKS_OPEN',
  /** Checks were not put to the test, although the scenario meant to. */
  'CHECKS_UNTESTED',
  /** The service went away during the load, and a part of the requests was never sent. */
  'TARGET_LOST',
  'NOTHING_ACCEPTED',
  /** Replies that no rule explains, or that know no such coupon. */
  'UNEXPLAINED_REPLIES',
  /** More users asked than there were coupons, fewer were accepted, and no user was told "sold out". */
  'SALE_UNFINISHED',
  /** Most requests were neither accepted nor refused for a reason that the checks can look at. */
  'MOSTLY_UNDECIDED',
] as const;

export interface VerdictReason {
  code: (typeof VERDICT_REASONS)[number];
  facts: Record<string, number | string>;
}

export interface Verdict {
  /**
   * `pass`: proven, every check passed and could have failed. `held`: all passed, and the scenario by its own numbers puts some of them to
   * no test. `inconclusive`: nothing was found wrong, and that proves nothing.
   */
  integrity: 'pass' | 'held' | 'fail' | 'inconclusive';
  thresholds: 'pass' | 'fail';
  /** Why it is inconclusive, the most important first; left out otherwise. */
  reasons?: VerdictReason[];
}

export interface VerdictInput {
  integrity: readonly CheckResult[];
  skip: readonly CheckName[];
  thresholds: readonly ThresholdResult[];
  demand: readonly Demand[];
  targetLost: boolean;
  /** Exit code of the signal that cut the run short, or null. */
  interrupted: 130 | 143 | null;
}

/** Exit codes by precedence: broken integrity, signal, inconclusive, target gone, threshold. */
export function verdictOf(input: VerdictInput): { verdict: Verdict; exitCode: number } {
  const { integrity, thresholds, interrupted } = input;
  const failed = integrity.some((result) => result.status === 'fail');
  const reasons = failed ? [] : reasonsOf(input);
  const met = thresholds.every((threshold) => threshold.ok);
  return {
    verdict: {
      integrity: failed ? 'fail' : reasons.length > 0 ? 'inconclusive' : untested(input).length > 0 ? 'held' : 'pass',
      thresholds: met ? 'pass' : 'fail',
      ...(reasons.length > 0 ? { reasons } : {}),
    },
    exitCode: failed ? 4 : (interrupted ?? exitCodeOf(reasons, met)),
  };
}

function exitCodeOf(reasons: readonly VerdictReason[], met: boolean): number {
  if (reasons.length === 0) return met ? 0 : 99;
  const has = (code: VerdictReason['code']): boolean => reasons.some((reason) => reason.code === code);
  // What a lost service kept from happening follows from its loss.
  return has('TARGET_LOST') && !has('CHECKS_OPEN') ? 3 : 5;
}

function reasonsOf({ integrity, skip, thresholds, demand, targetLost }: VerdictInput): VerdictReason[] {
  const open = integrity.filter((result) => result.status === 'not_checked' && !skip.includes(result.check)).length;
  const missed = untested({ integrity, skip }).filter((result) => !isByPlan(result)).length;
  const all = outcomesOfAll(demand);
  const requests = sum(all);
  const sent = requests - all.unsent;
  const reasons: (VerdictReason | false)[] = [
    targetLost && { code: 'TARGET_LOST', facts: { sent, requests } },
    ...demand.map((one) => nothingAccepted(one, thresholds)),
    unexplained(all, sent, thresholds),
    ...demand.map((one) => saleUnfinished(one, thresholds)),
    mostlyUndecided(all, sent, thresholds),
    missed > 0 && !expectsNobody(thresholds) && { code: 'CHECKS_UNTESTED', facts: { checks: missed } },
    open > 0 && { code: 'CHECKS_OPEN', facts: { checks: open } },
  ];
  return reasons.filter((reason) => reason !== false);
}

/** Checks that could not have failed, and that the scenario does not skip. */
function untested({ integrity, skip }: Pick<VerdictInput, 'integrity' | 'skip'>): CheckResult[] {
  return integrity.filter((result) => result.status === 'not_exercised' && !skip.includes(result.check));
}

function nothingAccepted({ couponId, left, accepted, asked }: Demand, thresholds: readonly ThresholdResult[]): VerdictReason | false {
  if (accepted > 0 || left === 0 || expectsNobody(thresholds)) return false;
  return { code: 'NOTHING_ACCEPTED', facts: { couponId, left, asked } };
}

function unexplained(all: OutcomeCounts, sent: number, thresholds: readonly ThresholdResult[]): VerdictReason | false {
  const count = unallowed(['unexpected', 'unknown_coupon'], all, thresholds);
  return count > 0 && { code: 'UNEXPLAINED_REPLIES', facts: { count, sent } };
}

const UNDECIDED = [
  'not_open',
  'not_yet_open',
  'closed',
  'unavailable',
  'unexpected',
  'unknown_coupon',
  'unknown',
  'refused',
  'rate_limited',
  'queued',
  'busy',
] as const;

function saleUnfinished(demand: Demand, thresholds: readonly ThresholdResult[]): VerdictReason | false {
  const { couponId, left, accepted, asked, outcomes } = demand;
  if (accepted === 0 || accepted >= left || asked <= left || outcomes.sold_out > 0) return false;
  if (unallowed(UNDECIDED, outcomes, thresholds) === 0) return false;
  return { code: 'SALE_UNFINISHED', facts: { couponId, left, accepted, asked } };
}

function mostlyUndecided(all: OutcomeCounts, sent: number, thresholds: readonly ThresholdResult[]): VerdictReason | false {
  const count = unallowed(['unavailable', 'unexpected', 'unknown_coupon', 'unknown', 'rate_limited', 'busy'], all, thresholds);
  return 2 * count > sent && { code: 'MOSTLY_UNDECIDED', facts: { count, sent } };
}

/** Requests with these outcomes that no threshold of the scenario speaks of, or more than it allows. */
function unallowed(outcomes: readonly Outcome[], counts: OutcomeCounts, thresholds: readonly ThresholdResult[]): number {
  return outcomes.filter((outcome) => !allowed(outcome, thresholds)).reduce((total, outcome) => total + counts[outcome], 0);
}

function allowed(outcome: Outcome, thresholds: readonly ThresholdResult[]): boolean {
  const speaking = thresholds.filter(({ metric }) => {
    const name = metric.replaceAll(/\s/g, '');
    return name === `outcome_${outcome}` || (name === 'http_req_failed' && (outcome === 'unexpected' || outcome === 'unknown'));
  });
  return speaking.length > 0 && speaking.every(({ ok }) => ok);
}

/** A scenario may say that no user is to get in: before the opening, for example. */
function expectsNobody(thresholds: readonly ThresholdResult[]): boolean {
  return thresholds.some(
    ({ metric, expr, ok }) =>
      ok && metric.trim() === 'outcome_accepted' && /^\s*((count|rate)\s*(={2,3}|<=)\s*0|count\s*<\s*1)\s*$/.test(expr),
  );
}

function sum(counts: OutcomeCounts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
