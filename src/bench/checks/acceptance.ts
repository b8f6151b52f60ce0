/** Checks that the answers were kept: accepted users have their coupon, refused users have none. */
import type { CheckResult } from './integrity.ts';
import { fail, notChecked, verdict } from './context.ts';
import type { CheckContext, Finding } from './context.ts';
import { ACCEPTED, BEFORE, DUPLICATE, Tally, UNDECIDED, UNEXPECTED, UNKNOWN } from './digest.ts';

/**
 * Every accepted user has a ledger row and a hash, or was dead-lettered and is then named. A user who was told "you have asked
 * already" counts too: that answer is only right for an accepted user, even if the first reply got lost.
 */
export function acceptedAreIssued(context: CheckContext): CheckResult {
  const { digest, evidence, users, rows, hashes, revoked, dead, pending } = context;
  const empty = new Tally(users);
  const withoutRow = new Tally(users);
  const withoutHash = new Tally(users);
  const falseDuplicates = new Tally(users);
  const unsettled = new Tally(users);
  const passedOver = new Tally(users);
  const late = new Tally(users);
  const lastServedUs = evidence.idle ? lastServed(context) : Number.NEGATIVE_INFINITY;
  const named = new Tally(users);
  for (let user = 0; user < users.size; user += 1) {
    const said = digest.said[user]!;
    if (!(said & (ACCEPTED | DUPLICATE))) continue;
    if (dead[user]) {
      named.add(user);
      continue;
    }
    const row = rows?.[user] ?? 0;
    const hash = hashes?.[user] ?? 0;
    if ((rows && !row) || (hashes && !hash)) {
      if (!revoked[user]) {
        late.add(user);
        if (digest.acceptedUs[user]! < lastServedUs) passedOver.add(user);
      }
      if (pending[user]) unsettled.add(user);
      else if (revoked[user]) named.add(user);
      else if (!(said & ACCEPTED)) falseDuplicates.add(user);
      else if (row) withoutHash.add(user);
      else if (hash) withoutRow.add(user);
      else empty.add(user);
    } else if (revoked[user]) named.add(user);
  }
  // While things move, a row or hash may just be late. A user in none of the places is lost all the same: evidence is read in
  // the order in which users move on (queue, leases, ledger), so no user slips past it. A third-party service may hold users
  // out of sight.
  // There a loss shows all the same when it passed a user over: the queue is empty, nothing moves, and users who asked later have
  // their coupon.
  const certain = evidence.redis !== null && evidence.ledger !== null && !evidence.consulted;
  const missing = (reason: Finding['reason'], tally: Tally, sure: boolean): Finding | false =>
    tally.count > 0 &&
    (sure
      ? fail(reason, tally, { accepted: digest.accepted })
      : { ...notChecked('NOT_SETTLED', late), facts: { accepted: digest.accepted } });
  return verdict('accepted_are_issued', evidence.couponId, [
    passedOver.count > 0 && missing('ACCEPTED_NOT_ISSUED', passedOver, true),
    missing('ACCEPTED_NOT_ISSUED', empty, certain || evidence.settled),
    missing('ACCEPTED_WITHOUT_ROW', withoutRow, evidence.settled),
    missing('ACCEPTED_WITHOUT_HASH', withoutHash, evidence.settled),
    missing('DUPLICATE_NOT_ISSUED', falseDuplicates, evidence.settled),
    ...context.blind,
    missing('ACCEPTED_NOT_ISSUED', unsettled, false),
    named.count > 0 && { status: 'pass', reason: 'ACCEPTED_SET_ASIDE', count: named.count, sample: named.sample },
  ]);
}

/** When the last of the users who have a coupon asked for it. */
function lastServed({ digest, rows, hashes, users }: CheckContext): number {
  let last = Number.NEGATIVE_INFINITY;
  for (let user = 0; user < users.size; user += 1) {
    if ((rows?.[user] || hashes?.[user]) && digest.askedUs[user]! > last) last = digest.askedUs[user]!;
  }
  return last;
}

/** No user has a coupon, in either store, who was neither accepted nor left without a decision. */
export function issuedWereAccepted(context: CheckContext): CheckResult {
  const { digest, evidence, users, rows, hashes } = context;
  const refused = new Tally(users);
  const unexpected = new Tally(users);
  const strangers = new Tally(users);
  for (let user = 0; user < users.size; user += 1) {
    if (!(rows?.[user] || hashes?.[user])) continue;
    const said = digest.said[user]!;
    if (said & (ACCEPTED | UNKNOWN | UNDECIDED | BEFORE)) continue;
    if (said === 0) strangers.add(user);
    else if (said & UNEXPECTED) unexpected.add(user);
    else refused.add(user);
  }
  return verdict('issued_were_accepted', evidence.couponId, [
    refused.count > 0 && fail('ISSUED_TO_REFUSED', refused),
    strangers.count > 0 && fail('ISSUED_TO_STRANGER', strangers),
    unexpected.count > 0 && fail('ISSUED_AFTER_UNEXPECTED_ANSWER', unexpected),
    ...context.blind,
  ]);
}
