/**
 * Compares the record of a load with what both stores say afterwards. Pure: evidence in, results out; who collects it and how
 * is `bench/evidence/collect.ts`. Every check is made for every coupon, and each ends as `pass`, `fail`, `not_checked` or
 * `not_exercised`.
 *
 * What it cannot see: acceptances that the service itself forgot before it answered; a refusal that was wrong by less than
 * the requests then under way (see `checks/sold-out.ts`); and unfairness among requests that overlapped.
 */
import { acceptedAreIssued, issuedWereAccepted } from './acceptance.ts';
import { checkContext } from './context.ts';
import { digest } from './digest.ts';
import { exercised, exerciseOf } from './exercise.ts';
import { placesOf } from './places.ts';
import { issuedWithinTotal, onePerUser, stockAddsUp } from './issued.ts';
import { firstComeFirstServed } from './order.ts';
import { askedBeyond, beyondLimit } from './per-user.ts';
import { soldOutWhenGone } from './sold-out.ts';
import type { CheckResult, CouponEvidence, Reason, RequestRecord, UserNames } from './integrity.ts';

/**
 * All checks in the order of `CHECKS`, coupon by coupon. `evidence` has one entry for each coupon of the record.
 *
 * @param perUser coupons that one user may have; null: any number
 */
export function checkIntegrity(
  record: RequestRecord,
  evidence: readonly CouponEvidence[],
  users: UserNames,
  perUser: number | null = 1,
): CheckResult[] {
  return evidence.flatMap((coupon, index) => {
    const asked = { record, evidence: coupon, users };
    const places = perUser === 1 ? asked : placesOf(asked, index, perUser);
    const context = checkContext(digest(places.record, index, places.users, coupon.before), places.evidence, places.users);
    const results = [
      issuedWithinTotal(context),
      onePerUser(context, perUser !== 1 && perUser !== null && beyondLimit(record, index, coupon, users, perUser)),
      acceptedAreIssued(context),
      issuedWereAccepted(context),
      soldOutWhenGone(context),
      firstComeFirstServed(context),
      stockAddsUp(context),
    ];
    const exercise = exerciseOf(places.record, index, places.evidence);
    if (perUser !== 1) Object.assign(exercise, exerciseOfLimit(record, index, perUser, exercise.accepted));
    return results.map((result) => known(exercised(result, exercise), record));
  });
}

/** Where any number is allowed, all that can be wrong is a coupon that is issued twice. */
function exerciseOfLimit(record: RequestRecord, coupon: number, limit: number | null, accepted: number) {
  return limit === null ? { plannedTwice: accepted, answeredTwice: accepted } : { limit, ...askedBeyond(record, coupon, limit) };
}

const BY_COUNT: ReadonlySet<CheckResult['check']> = new Set(['issued_within_total', 'stock_adds_up']);
const BY_TIME: ReadonlySet<CheckResult['check']> = new Set(['sold_out_when_gone', 'first_come_first_served']);

/** Of a record that does not name users, only counts can be compared; without times, an order that looks right says nothing. */
function known(result: CheckResult, { lacks = [] }: RequestRecord): CheckResult {
  const open = (reason: Reason): CheckResult => ({ ...result, status: 'not_checked', reason, count: 0, sample: [], facts: {} });
  if (lacks.includes('users') && !BY_COUNT.has(result.check)) return open('NO_USERS_RECORDED');
  if (lacks.includes('times') && BY_TIME.has(result.check) && result.status !== 'fail') return open('NO_TIMES_RECORDED');
  return result;
}
