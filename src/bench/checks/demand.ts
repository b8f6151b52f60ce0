/** What a load asked of each coupon, by user: the part of a record that tells whether a sale took place at all. */
import { issuedUsers, leavesOpen, outcomeCode } from './integrity.ts';
import type { CouponEvidence, RequestRecord } from './integrity.ts';
import { noOutcomes, OUTCOMES } from '../../campaign/outcome.ts';
import type { OutcomeCounts } from '../../campaign/outcome.ts';

export interface Demand {
  couponId: string;
  /** Coupons that were left when the load began. */
  left: number;
  /** Distinct users whose request was sent. */
  asked: number;
  /** Distinct users who were accepted, or have a coupon where the reply left it open. */
  accepted: number;
  /** How the requests ended. */
  outcomes: OutcomeCounts;
}

const ASKED = 1;
const ACCEPTED = 2;

/** One entry for each coupon of the record, in its order. */
export function demandOf(record: RequestRecord, evidence: readonly CouponEvidence[]): Demand[] {
  const [acceptedCode, unsentCode] = [outcomeCode('accepted'), outcomeCode('unsent')];
  const users = largest(record.user) + 1;
  const said = evidence.map(() => new Uint8Array(users));
  const issued = evidence.map(issuedUsers);
  const counts = evidence.map(() => new Uint32Array(OUTCOMES.length));
  for (let row = 0; row < record.length; row += 1) {
    const outcome = record.outcome[row]!;
    const own = counts[record.coupon[row]!]!;
    own[outcome] = own[outcome]! + 1;
    if (outcome === unsentCode) continue;
    const byUser = said[record.coupon[row]!]!;
    const user = record.user[row]!;
    const accepted = outcome === acceptedCode || (leavesOpen(outcome) && issued[record.coupon[row]!]!.has(user));
    byUser[user] = byUser[user]! | ASKED | (accepted ? ACCEPTED : 0);
  }
  return evidence.map(({ couponId, total, before }, index) => {
    const outcomes = noOutcomes();
    OUTCOMES.forEach((outcome, code) => (outcomes[outcome] = counts[index]![code]!));
    const asked = said[index]!.reduce((sum, bits) => sum + (bits & ASKED), 0);
    const accepted = said[index]!.reduce((sum, bits) => sum + Number((bits & ACCEPTED) !== 0), 0);
    return { couponId, left: Math.max(0, total - before.length), asked, accepted, outcomes };
  });
}

/** The counts of all coupons together. */
export function outcomesOfAll(demand: readonly Demand[]): OutcomeCounts {
  const sum = noOutcomes();
  for (const { outcomes } of demand) for (const outcome of OUTCOMES) sum[outcome] += outcomes[outcome];
  return sum;
}

function largest(users: Uint32Array): number {
  let most = 0;
  for (const user of users) if (user > most) most = user;
  return most;
}
