import type { CheckResult } from './integrity.ts';
import { fail, notChecked, verdict } from './context.ts';
import type { CheckContext, Finding } from './context.ts';
import { ACCEPTED, BEFORE, DUPLICATE, SOLD_OUT, Tally, UNDECIDED, UNEXPECTED, UNKNOWN } from './digest.ts';

/**
 * Refused as sold out only when the stock was gone, and no stock leaked.
 *
 * The service's own order of decisions cannot be seen from outside, but a bound on it can: a coupon is only gone once a user
 * has asked for it. So a sold-out reply that arrived before as many users had asked as there are coupons, counting only
 * those who were accepted or may have been, was wrong whatever happened inside. Each user counts once, from the first such
 * request: one user takes one coupon. Restocks only add coupons, so the bound stands with them.
 *
 * The bound cannot see a refusal that was a little early while accepted requests were still on their way. What it cannot see
 * ends as leaked stock, unless another user got the coupon: then nothing was lost.
 */
export function soldOutWhenGone(context: CheckContext): CheckResult {
  const { digest, evidence, users } = context;
  const left = Math.max(0, evidence.total - evidence.before.length);
  const gone = goneAt(digest.askedUs, digest.said, left);
  const early = new Tally(users);
  for (let index = 0; index < digest.soldOutUser.length; index += 1) {
    if (digest.soldOutUs[index]! < gone) early.add(digest.soldOutUser[index]!);
  }
  return verdict('sold_out_when_gone', evidence.couponId, [
    early.count > 0 && fail('SOLD_OUT_TOO_EARLY', early, { total: evidence.total, accepted: digest.accepted }),
    leak(context),
  ]);
}

/** When the last coupon can have gone at the earliest: the time at which the `left`-th user who may have taken one asked. */
function goneAt(askedUs: Float64Array, said: Uint8Array, left: number): number {
  if (left === 0) return Number.NEGATIVE_INFINITY;
  const asked = askedUs.filter((us, user) => !Number.isNaN(us) && !(said[user]! & BEFORE)).toSorted();
  return asked[left - 1] ?? Number.POSITIVE_INFINITY;
}

/**
 * When as many users as there are coupons got an answer that depends on stock, all coupons must be issued (or dead-lettered, or on
 * their way). Users whose request was never answered do not count: it may not have arrived.
 */
function leak(context: CheckContext): Finding | null {
  const { digest, evidence, users, rows, hashes, dead, pending, consulted, blind } = context;
  const issuedUsers = consulted.ledger ? rows : hashes;
  const unseen = blind[0] ?? notChecked('NO_LEDGER_EVIDENCE');
  let answered = evidence.before.length;
  let promised = evidence.before.length;
  let open = 0;
  let placed = 0;
  for (let user = 0; user < users.size; user += 1) {
    const said = digest.said[user]!;
    if (said & (ACCEPTED | DUPLICATE | SOLD_OUT) && !(said & BEFORE)) answered += 1;
    if (said & ACCEPTED && !(said & BEFORE)) promised += 1;
    else if (said & (UNKNOWN | UNEXPECTED | UNDECIDED | DUPLICATE) && !(said & BEFORE)) open += 1;
    if (issuedUsers?.[user] || dead[user] || pending[user]) placed += 1;
  }
  if (answered < evidence.total) return null;
  const taken = issuedUsers ? placed : promised;
  // Accepted users who have no coupon are lost, which is another check's finding, and do not mean that stock leaked.
  const spent = Math.max(taken, promised);
  if (spent >= evidence.total) return issuedUsers ? null : unseen;
  if (!issuedUsers && promised + open >= evidence.total) return unseen;
  // A third-party service may hold users out of sight.
  if (evidence.consulted && !evidence.settled && promised + open >= evidence.total) return notChecked('NOT_SETTLED');
  return {
    status: 'fail',
    reason: 'STOCK_LEAKED',
    count: evidence.total - spent,
    sample: new Tally(users).addAll(digest.soldOutUser.subarray(0, 10)).sample,
    facts: { total: evidence.total, issued: taken, asked: answered },
  };
}
