/** What an adoption writes, read from the service's keys again: a plan keeps no list of all users. */
import { scoreToMicros } from '../../campaign/coupon.ts';
import { expiryAt, foundIssued } from './issued.ts';
import { readMember } from './member.ts';
import type { FullPlan } from './plan.ts';
import type { ProvenRow } from '../../campaign/ports/ledger.ts';
import type { AdoptionSource, QueuedUser } from './ports.ts';

/**
 * The claim of all who have a coupon already: an adoption counts as the first one. Once it is acknowledged, Redis can tell that a record of
 * admissions is lost.
 */
export const ADOPTION_FENCE = 1;

/** As they are written into the queue of this program. Users whom the service has taken since are among them. */
export async function* queuedUsers(source: Pick<AdoptionSource, 'queue'>, plan: FullPlan): AsyncGenerator<QueuedUser> {
  const { queue, keys, own, reading } = plan;
  const inPlace = keys.queue === own.queue;
  const { withCoupon } = queue;
  for await (const page of source.queue(keys.queue)) {
    for (const { member, score } of page) {
      const [read, us] = [readMember(member, reading.memberField), scoreToMicros(score)];
      if ('problem' in read || us === null || queue.several.has(read.userId)) continue;
      const { userId } = read;
      if (!withCoupon.has(userId)) yield { member: inPlace ? member : userId, userId, us };
      else if (inPlace) yield { member, userId, us: null };
    }
  }
  for (const [userId, { us, members }] of queue.several) {
    const hasCoupon = withCoupon.has(userId);
    if (!inPlace) {
      if (!hasCoupon) yield { member: userId, userId, us };
      continue;
    }
    for (const member of members) if (member !== userId || hasCoupon) yield { member, userId, us: hasCoupon ? null : us };
    // Last, so that no other spelling takes it away again.
    if (!hasCoupon && members.has(userId)) yield { member: userId, userId, us };
  }
}

/** Rows of the users who have a coupon, with `used_at` of their hashes as it is written. */
export async function* adoptedRows(
  source: Pick<AdoptionSource, 'issued'>,
  { queue, definition, nowMs, keys, reading }: FullPlan,
): AsyncGenerator<{ row: ProvenRow; seenUsedAt: string }> {
  const now = new Date(nowMs);
  for await (const page of source.issued(keys)) {
    for (const one of page) {
      const found = foundIssued(one, reading);
      if (!found) continue;
      const { userId } = one;
      const queuedUs = queue.withCoupon.get(userId) ?? null;
      const issuedAt = found.issuedAt ?? found.requestedAt ?? now;
      const requestedUs = found.requestedAt ? found.requestedAt.getTime() * 1_000 : (queuedUs ?? issuedAt.getTime() * 1_000);
      const expiresAt = found.expiresAt === 'unsaid' ? expiryAt(definition!.expiry, issuedAt) : found.expiresAt;
      const { usedAt, revokedAt, seenUsedAt } = found;
      yield { row: { userId, requestedUs, issuedAt, expiresAt, usedAt, revokedAt, fence: ADOPTION_FENCE, deliveries: 0 }, seenUsedAt };
    }
  }
}

/** At most `size` at a time, in their order. */
export async function* inShares<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let share: T[] = [];
  for await (const item of items) {
    share.push(item);
    if (share.length < size) continue;
    yield share;
    share = [];
  }
  if (share.length > 0) yield share;
}
