/**
 * Whether a check could have failed. A check that found nothing wrong proves something only when the load put it to the test: a
 * coupon cannot be over-issued by fewer users than there are coupons.
 *
 * Two ways to fall short are told apart. What the scenario never asked for is no fault of the run, and the others are still held. What it
 * asked for and did not come to pass leaves the run inconclusive.
 */
import type { RequestPlan } from '../plan/user-plan.ts';
import { CHECKS, isDecided, issuedUsers, leavesOpen, outcomeCode } from './integrity.ts';
import type { CheckName, CheckResult, CouponEvidence, Reason, RequestRecord } from './integrity.ts';

/** Why a check was not put to the test: by the numbers of the scenario, or by what happened. */
type Untested = Extract<
  Reason,
  | 'FEWER_USERS_THAN_COUPONS'
  | 'NOBODY_ASKS_TWICE'
  | 'NO_COUPONS_LEFT'
  | 'ALL_OVERLAPPED'
  | 'NOTHING_PROMISED'
  | 'TOO_FEW_ANSWERED'
  | 'NOBODY_ANSWERED_TWICE'
  | 'NOBODY_ACCEPTED'
>;

const BY_PLAN: ReadonlySet<string> = new Set<Untested>([
  'FEWER_USERS_THAN_COUPONS',
  'NOBODY_ASKS_TWICE',
  'NO_COUPONS_LEFT',
  'ALL_OVERLAPPED',
  'NOTHING_PROMISED',
]);

/** Whether the scenario by its own numbers could not put the check to the test. */
export function isByPlan({ reason }: CheckResult): boolean {
  return reason !== null && BY_PLAN.has(reason);
}

/** What a load did to one coupon. Users are distinct. */
interface Exercise {
  /** Coupons that were left when the load began. */
  left: number;
  /** Users in the plan, and users who got an answer that decides. */
  planned: number;
  answered: number;
  /** Coupons that one user may have, where that is not one. */
  limit?: number;
  /** Accepted users with requests of two ids, or of more than the limit. */
  plannedTwice: number;
  answeredTwice: number;
  /** Users who were told so, or whose coupon says so where the reply left it open. */
  accepted: number;
  /** Of those, the ones who were told. */
  promised: number;
  /** Some user was accepted before another who was accepted sent the request. */
  inTurn: boolean;
}

interface User {
  plannedId: number;
  answeredId: number;
  plannedTwice: boolean;
  answeredTwice: boolean;
  accepted: boolean;
  promised: boolean;
}

export function exerciseOf(record: RequestRecord, coupon: number, evidence: CouponEvidence): Exercise {
  const { total, before } = evidence;
  const acceptedCode = outcomeCode('accepted');
  const issued = issuedUsers(evidence);
  const users = new Map<number, User>();
  let firstDoneUs = Number.POSITIVE_INFINITY;
  let lastSentUs = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon) continue;
    const id = record.requestId[row]!;
    let user = users.get(record.user[row]!);
    if (!user) {
      user = { plannedId: id, answeredId: -1, plannedTwice: false, answeredTwice: false, accepted: false, promised: false };
      users.set(record.user[row]!, user);
    }
    user.plannedTwice ||= user.plannedId !== id;
    if (!isDecided(record.outcome[row]!)) continue;
    user.answeredTwice ||= user.answeredId !== -1 && user.answeredId !== id;
    user.answeredId = id;
    user.accepted ||= leavesOpen(record.outcome[row]!) && issued.has(record.user[row]!);
    if (record.outcome[row] !== acceptedCode) continue;
    user.accepted = true;
    user.promised = true;
    firstDoneUs = Math.min(firstDoneUs, record.doneUs[row]!);
    lastSentUs = Math.max(lastSentUs, record.sentUs[row]!);
  }
  const all = [...users.values()];
  const count = (is: (user: User) => boolean): number => all.filter(is).length;
  return {
    left: Math.max(0, total - before.length),
    planned: all.length,
    answered: count((user) => user.answeredId !== -1),
    plannedTwice: count((user) => user.accepted && user.plannedTwice),
    answeredTwice: count((user) => user.accepted && user.answeredTwice),
    accepted: count((user) => user.accepted),
    promised: count((user) => user.promised),
    inTurn: firstDoneUs < lastSentUs,
  };
}

/** The result of a check, or that it was not put to the test. Only what passed is in question. */
export function exercised(result: CheckResult, exercise: Exercise): CheckResult {
  if (result.status !== 'pass') return result;
  const reason = NEEDS[result.check](exercise);
  if (reason === null) return result;
  const { left, planned, answered, accepted, limit = 1 } = exercise;
  return { ...result, status: 'not_exercised', reason, facts: { ...result.facts, left, planned, answered, accepted, limit } };
}

/** Checks that a plan by its own numbers will not put to the test on a fresh coupon, with the reason. */
export function untestedByPlan(
  plan: RequestPlan,
  coupons: readonly { id: string; total: number }[],
  perUser: number | null = 1,
): CheckResult[] {
  return coupons.flatMap(({ id, total }, coupon) => {
    const asks = new Map<number, number>();
    for (let row = 0; row < plan.length; row += 1) {
      if (plan.coupon[row] === coupon) asks.set(plan.user[row]!, (asks.get(plan.user[row]!) ?? 0) + 1);
    }
    const limit = perUser ?? Number.POSITIVE_INFINITY;
    let [places, beyond] = [0, 0];
    for (const count of asks.values()) {
      places += Math.min(count, limit);
      if (count > limit) beyond += 1;
    }
    // At best: all are answered, and the users who ask too often are among the accepted.
    const accepted = Math.min(total, places);
    const again = perUser === null ? accepted : accepted > 0 ? beyond : 0;
    const exercise: Exercise = {
      ...(perUser === 1 || perUser === null ? {} : { limit: perUser }),
      left: total,
      planned: places,
      answered: places,
      plannedTwice: again,
      answeredTwice: again,
      accepted,
      promised: accepted,
      inTurn: accepted > 1,
    };
    return CHECKS.map((check) =>
      exercised({ check, couponId: id, status: 'pass', reason: null, count: 0, sample: [], facts: {} }, exercise),
    ).filter(({ status }) => status === 'not_exercised');
  });
}

/** What each check takes to be able to fail; null: it had that. */
const NEEDS: Record<CheckName, (exercise: Exercise) => Untested | null> = {
  issued_within_total: contested,
  one_per_user: (exercise) => someAccepted(exercise) ?? askedTwice(exercise),
  accepted_are_issued: (exercise) => someAccepted(exercise) ?? somePromised(exercise),
  // A user who was refused is what it looks for.
  issued_were_accepted: contested,
  sold_out_when_gone: contested,
  first_come_first_served: (exercise) => someAccepted(exercise) ?? somePromised(exercise) ?? (exercise.inTurn ? null : 'ALL_OVERLAPPED'),
  stock_adds_up: someAccepted,
};

/** More users with an answer than coupons. */
function contested({ left, planned, answered }: Exercise): Untested | null {
  if (answered > left) return null;
  return planned > left ? 'TOO_FEW_ANSWERED' : 'FEWER_USERS_THAN_COUPONS';
}

function someAccepted({ left, accepted }: Exercise): Untested | null {
  if (accepted > 0) return null;
  return left === 0 ? 'NO_COUPONS_LEFT' : 'NOBODY_ACCEPTED';
}

/** Replies such as "queued" leave it to the list of issued coupons. */
function somePromised({ promised }: Exercise): Untested | null {
  return promised > 0 ? null : 'NOTHING_PROMISED';
}

function askedTwice({ plannedTwice, answeredTwice }: Exercise): Untested | null {
  if (answeredTwice > 0) return null;
  return plannedTwice > 0 ? 'NOBODY_ANSWERED_TWICE' : 'NOBODY_ASKS_TWICE';
}
