/** Checks of the issued coupons: not too many, one for each user, and the stock adds up. */
import type { CheckResult, LedgerEvidence } from './integrity.ts';
import { fail, notChecked, verdict } from './context.ts';
import type { CheckContext, Finding } from './context.ts';
import { Tally } from './digest.ts';

/**
 * Issued ≤ total, in both stores. Revoked coupons do not count against the total, but no more than `returned` of
 * them may have been handed out again. More accepted users than coupons is over-issue as well: a user will get nothing.
 */
export function issuedWithinTotal(context: CheckContext): CheckResult {
  const { evidence, digest, users, hashes, revoked } = context;
  const { ledger, redis, total } = evidence;
  const returned = redis?.returned ?? 0;
  const ever = total + Math.max(returned, 0);
  const promised = digest.accepted + evidence.before.length;

  const rows = ledger?.user.length ?? 0;
  const live = ledger ? rows - ledger.revoked.reduce((sum, flag) => sum + flag, 0) : 0;
  const hashesFound = redis?.issued.length ?? 0;
  let liveHashes = 0;
  if (hashes) for (let user = 0; user < hashes.length; user += 1) liveHashes += revoked[user] ? 0 : hashes[user]!;

  const beyond = new Tally(users).addAll(ledger ? latest(ledger, Math.max(live - total, redis ? rows - ever : 0)) : []);
  const surplusHashes = Math.max(liveHashes - total, hashesFound - ever);
  const counted = ledger?.issuedQuantity ?? null;
  return verdict('issued_within_total', evidence.couponId, [
    ledger !== null && beyond.count > 0 && fail('LEDGER_OVER_TOTAL', beyond, { issued: live, total }),
    redis !== null &&
      surplusHashes > 0 && {
        status: 'fail',
        reason: 'HASHES_OVER_TOTAL',
        count: surplusHashes,
        sample: [],
        facts: { issued: liveHashes, total },
      },
    promised > ever && {
      status: 'fail',
      reason: 'ACCEPTED_OVER_TOTAL',
      count: promised - ever,
      sample: [],
      facts: { accepted: promised, total: ever },
    },
    counted !== null &&
      ledger !== null &&
      // Of revoked coupons it leaves out those that went back into the stock.
      (counted > rows || counted < live) && {
        status: 'fail',
        reason: 'LEDGER_COUNTER_WRONG',
        count: Math.abs(counted - rows),
        sample: [],
        facts: { counter: counted, rows },
      },
    ...context.blind,
    !evidence.settled &&
      (evidence.consulted !== undefined || (redis !== null && redis.waiting.length + redis.claimed.length > 0)) &&
      notChecked('NOT_SETTLED'),
  ]);
}

/** The users who came last by request time: those that an over-issue should not have served. */
function latest(ledger: LedgerEvidence, count: number): Uint32Array {
  if (count <= 0) return new Uint32Array();
  const order = Uint32Array.from(ledger.user, (_, row) => row).toSorted((a, b) => ledger.requestedUs[a]! - ledger.requestedUs[b]!);
  return order.subarray(Math.max(0, order.length - count)).map((row) => ledger.user[row]!);
}

/**
 * At most one accepted request, one ledger row and one hash for each user. The same request id may be accepted again.
 *
 * @param beyond where users may have several: those who have too many
 */
export function onePerUser(context: CheckContext, beyond: Finding | false = false): CheckResult {
  const { digest, evidence, users, rows, hashes } = context;
  const twiceInLedger = new Tally(users);
  const twiceInRedis = new Tally(users);
  for (let user = 0; user < users.size; user += 1) {
    if (rows && rows[user]! > 1) twiceInLedger.add(user);
    if (hashes && hashes[user]! > 1) twiceInRedis.add(user);
  }
  const acceptedTwice = new Tally(users).addAll(digest.acceptedTwice);
  const acceptedAgain = new Tally(users).addAll(evidence.before.filter((user) => !Number.isNaN(digest.acceptedUs[user])));
  return verdict('one_per_user', evidence.couponId, [
    twiceInLedger.count > 0 && fail('ISSUED_TWICE_IN_LEDGER', twiceInLedger),
    twiceInRedis.count > 0 && fail('ISSUED_TWICE_IN_REDIS', twiceInRedis),
    acceptedTwice.count > 0 && fail('ACCEPTED_TWICE', acceptedTwice),
    acceptedAgain.count > 0 && fail('ACCEPTED_TWICE', acceptedAgain),
    beyond,
    ...context.blind,
  ]);
}

/** `total + returned = stock + |admitted ∪ waiting|`, the total is still the one that was seeded, and stock never below zero. */
export function stockAddsUp(context: CheckContext): CheckResult {
  const { evidence, consulted } = context;
  const { redis } = evidence;
  if (!consulted.stock) return verdict('stock_adds_up', evidence.couponId, [notChecked('NO_STOCK_EVIDENCE')]);
  if (!redis) return verdict('stock_adds_up', evidence.couponId, [notChecked('NO_REDIS_EVIDENCE')]);
  if (redis.total === null || redis.stock === null) {
    return verdict('stock_adds_up', evidence.couponId, [{ status: 'fail', reason: 'STOCK_MISSING', count: 1, sample: [] }]);
  }
  const below: Finding | false = redis.stock < 0 && {
    status: 'fail',
    reason: 'STOCK_BELOW_ZERO',
    count: -redis.stock,
    sample: [],
    facts: { stock: redis.stock },
  };
  if (redis.spent === null) {
    const gap = evidence.settled ? 'NO_STOCK_EVIDENCE' : 'NOT_SETTLED';
    return verdict('stock_adds_up', evidence.couponId, [below, notChecked(gap)]);
  }
  const difference = redis.stock + redis.spent - redis.total - redis.returned;
  const facts = { total: redis.total, returned: redis.returned, stock: redis.stock, spent: redis.spent, expectedTotal: evidence.total };
  const wrong = Math.max(Math.abs(difference), Math.abs(redis.total - evidence.total));
  return verdict('stock_adds_up', evidence.couponId, [
    wrong > 0 && { status: 'fail', reason: 'STOCK_DOES_NOT_ADD_UP', count: wrong, sample: [], facts },
    below,
  ]);
}
