import { fail, type Finding } from './context.ts';
import { Tally } from './digest.ts';
import { isDecided, outcomeCode } from './integrity.ts';
import type { CouponEvidence, RequestRecord, UserNames } from './integrity.ts';

/** Users who were promised, or have, more coupons than one user may have. */
export function beyondLimit(
  record: RequestRecord,
  coupon: number,
  { ledger }: CouponEvidence,
  users: UserNames,
  limit: number,
): Finding | false {
  const accepted = outcomeCode('accepted');
  const asker = record.asker ?? record.user;
  const promised = new Map<number, Set<number>>();
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon || record.outcome[row] !== accepted) continue;
    const what = (record.acceptance ?? record.requestId)[row]!;
    const known = promised.get(asker[row]!);
    if (known) known.add(what);
    else promised.set(asker[row]!, new Set([what]));
  }
  const has = new Map<number, number>();
  // Coupons with names of their own do not say whose they are.
  if (ledger && !record.asker) for (const user of ledger.user) has.set(user, (has.get(user) ?? 0) + 1);
  const beyond = new Set<number>();
  for (const [user, what] of promised) if (what.size > limit) beyond.add(user);
  for (const [user, count] of has) if (count > limit) beyond.add(user);
  return beyond.size > 0 && fail('OVER_LIMIT_PER_USER', new Tally(users).addAll(beyond), { limit });
}

/** Accepted users with more requests than one user may have coupons: in the plan, and answered. */
export function askedBeyond(record: RequestRecord, coupon: number, limit: number): { plannedTwice: number; answeredTwice: number } {
  const accepted = outcomeCode('accepted');
  const asker = record.asker ?? record.user;
  const users = new Map<number, { planned: Set<number>; answered: Set<number>; accepted: boolean }>();
  for (let row = 0; row < record.length; row += 1) {
    if (record.coupon[row] !== coupon) continue;
    let user = users.get(asker[row]!);
    if (!user) users.set(asker[row]!, (user = { planned: new Set(), answered: new Set(), accepted: false }));
    user.planned.add(record.requestId[row]!);
    if (isDecided(record.outcome[row]!)) user.answered.add(record.requestId[row]!);
    user.accepted ||= record.outcome[row] === accepted;
  }
  const of = [...users.values()].filter((user) => user.accepted);
  return {
    plannedTwice: of.filter(({ planned }) => planned.size > limit).length,
    answeredTwice: of.filter(({ answered }) => answered.size > limit).length,
  };
}
