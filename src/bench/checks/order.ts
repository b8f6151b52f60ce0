import type { CheckResult, LedgerEvidence } from './integrity.ts';
import { fail, notChecked, verdict } from './context.ts';
import type { CheckContext } from './context.ts';
import { Tally } from './digest.ts';
import type { Digest } from './digest.ts';

/**
 * If A had the answer "accepted" before B's request was sent, then A was admitted before B (this is the real-time order of
 * linearizability: Herlihy and Wing, 1990). The ledger must say so, in two ways:
 *
 * - A's request time lies before B's;
 * - A was not claimed in a later turn than B: claims take the oldest first. Users claimed more than once are left out as A,
 *   because a worker that died costs them their turn without anybody having been unfair.
 *
 * Requests that overlapped may be in any order. Sorting A's by answer and B's by sending, one sweep suffices: the largest
 * value among all A's that came before is the only one that B must be compared with. O(n log n).
 */
export function firstComeFirstServed(context: CheckContext): CheckResult {
  const { digest, evidence, users, consulted } = context;
  const { ledger } = evidence;
  const name = 'first_come_first_served';
  if (!ledger)
    return verdict(name, evidence.couponId, [
      notChecked(consulted.ledger ? 'NO_LEDGER_EVIDENCE' : consulted.hashes ? 'NO_REQUEST_TIMES' : 'REPLIES_ONLY'),
    ]);
  const before = rowsByTime(ledger, digest.acceptedUs);
  const after = rowsByTime(ledger, digest.askedUs);
  const overtaken = sweep(ledger, digest, before, after, ledger.requestedUs, ledger.requestedUs, ledger.requestedStepUs);
  // One turn serves a whole batch, so equal turns are in order.
  const served = sweep(ledger, digest, before, after, ledger.turn, ledger.turn, 0);
  const timed = ledger.requestedUs.some((us) => !Number.isNaN(us));
  return verdict(name, evidence.couponId, [
    overtaken.length > 0 && fail('OVERTAKEN', new Tally(users).addAll(overtaken)),
    served.length > 0 && fail('SERVED_OUT_OF_ORDER', new Tally(users).addAll(served)),
    ledger.user.length > 0 && !timed && notChecked('NO_REQUEST_TIMES'),
  ]);
}

/** Ledger rows whose user has such a time, in order of it. */
function rowsByTime(ledger: LedgerEvidence, us: Float64Array): Uint32Array {
  return Uint32Array.from(ledger.user, (_, row) => row)
    .filter((row) => !Number.isNaN(us[ledger.user[row]!]!))
    .toSorted((a, b) => us[ledger.user[a]!]! - us[ledger.user[b]!]!);
}

/** Users B whose value lies, by at least `step`, not above that of some A who was answered before B asked. */
function sweep(
  ledger: LedgerEvidence,
  digest: Digest,
  before: Uint32Array,
  after: Uint32Array,
  valueOfA: Float64Array,
  valueOfB: Float64Array,
  step: number,
): number[] {
  const wrong: number[] = [];
  let largest = Number.NEGATIVE_INFINITY;
  let next = 0;
  for (const row of after) {
    const asked = digest.askedUs[ledger.user[row]!]!;
    for (; next < before.length && digest.acceptedUs[ledger.user[before[next]!]!]! < asked; next += 1) {
      const value = valueOfA[before[next]!]!;
      if (value > largest) largest = value;
    }
    // A step of 1 makes equal values wrong; one of 1,000 allows for a clock that cuts off below a millisecond.
    if (valueOfB[row]! + Math.max(step - 1, 0) < largest + (step > 0 ? 1 : 0)) wrong.push(ledger.user[row]!);
  }
  return wrong;
}
