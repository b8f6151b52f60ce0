/**
 * Compares the record of a load with what both stores say afterwards. Pure: evidence in, results out; who collects it and how
 * is `app/bench-evidence.ts`. Every check is made for every coupon, and each ends as `pass`, `fail` or `not_checked`.
 *
 * What it cannot see: acceptances that the service itself forgot before it answered; a refusal that was wrong by less than
 * the requests then under way (see `checks/sold-out.ts`); and unfairness among requests that overlapped.
 */
import { acceptedAreIssued, issuedWereAccepted } from './checks/acceptance.ts';
import { checkContext } from './checks/context.ts';
import { digest } from './checks/digest.ts';
import { issuedWithinTotal, onePerUser, stockAddsUp } from './checks/issued.ts';
import { firstComeFirstServed } from './checks/order.ts';
import { soldOutWhenGone } from './checks/sold-out.ts';
import type { CheckResult, CouponEvidence, RequestRecord, UserNames } from './integrity.ts';

/** All checks in the order of `CHECKS`, coupon by coupon. `evidence` has one entry for each coupon of the record. */
export function checkIntegrity(record: RequestRecord, evidence: readonly CouponEvidence[], users: UserNames): CheckResult[] {
  return evidence.flatMap((coupon, index) => {
    const context = checkContext(digest(record, index, users, coupon.before), coupon, users);
    return [
      issuedWithinTotal(context),
      onePerUser(context),
      acceptedAreIssued(context),
      issuedWereAccepted(context),
      soldOutWhenGone(context),
      firstComeFirstServed(context),
      stockAddsUp(context),
    ];
  });
}
