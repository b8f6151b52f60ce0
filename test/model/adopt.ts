/** A coupon that a third-party service has begun in Redis, and what `adopt` makes of it. */
import { readForeignDate } from '../../src/campaign/foreign-time.ts';
import { scoreToMicros } from '../../src/campaign/coupon.ts';
import { reset } from './doubt.ts';
import { hashOf, type Campaign, type CouponHash, type LedgerEntry } from './state.ts';

export interface ThirdPartyCoupon {
  /** Coupons left. */
  stock: number;
  /** Empty: the service has no such field. */
  state: CouponHash['state'];
  /** Members of the queue; a user may be there in several spellings. */
  waiting: { userId: string; spelling: Spelling; score: number }[];
  /** Fields of the issued hash, as they are written. */
  issued: { userId: string; fields: Readonly<Record<string, string>> }[];
}

/** How a service's serializer writes a user id into the queue. */
export type Spelling = 'plain' | 'json' | 'object';

export const THIRD_PARTY_NAME = 'Shop';

/** Coupons that are left, waited for or issued; a user counts once. */
export function totalOf({ stock, waiting, issued }: ThirdPartyCoupon): number {
  return stock + new Set([...waiting, ...issued].map(({ userId }) => userId)).size;
}

/** What the model does not decide: times that nobody wrote down, and the next epochs. */
export interface AdoptionOutside {
  epoch: string;
  resetEpochs: readonly string[];
  issuedAt(userId: string): Date;
}

/**
 * The coupon takes the place of one that was purged. Everyone who waits is admitted with the earliest of their request times, everyone who
 * has a coupon gets a row. The adoption counts as the first claim, so that a record of admissions that is lost later is missed.
 */
export function adopt(campaign: Campaign, found: ThirdPartyCoupon, { epoch, resetEpochs, issuedAt }: AdoptionOutside): void {
  reset(campaign, totalOf(found), epoch, resetEpochs);
  const { redis, ledger } = campaign;
  redis.issued.clear();
  redis.occupied.clear();
  const state = found.state === '' ? 'open' : found.state;
  const requested = earliestRequests(found);
  for (const { userId, fields } of found.issued) {
    const row = rowOf(campaign.couponId, userId, fields, requested.get(userId), issuedAt);
    ledger.rows.set(userId, row);
    redis.issued.set(userId, hashOf(row));
    redis.admitted.set(userId, { score: row.requestedUs, requestId: '' });
  }
  for (const [userId, score] of requested) {
    if (ledger.rows.has(userId)) continue;
    redis.waiting.set(userId, score);
    redis.admitted.set(userId, { score, requestId: '' });
  }
  const reached = ledger.rows.size > 0 ? 1 : 0;
  Object.assign(ledger, { name: THIRD_PARTY_NAME, shared: true, saleState: state, issuedQuantity: ledger.rows.size, maxFence: reached });
  const lastUs = Math.max(0, ...requested.values());
  Object.assign(redis.coupon!, { name: THIRD_PARTY_NAME, state, stock: found.stock, fence: 1, acked: reached, lastUs });
}

function earliestRequests({ waiting }: ThirdPartyCoupon): Map<string, number> {
  const earliest = new Map<string, number>();
  for (const { userId, score } of waiting) {
    const us = scoreToMicros(score)!;
    earliest.set(userId, Math.min(us, earliest.get(userId) ?? us));
  }
  return earliest;
}

function rowOf(
  couponId: string,
  userId: string,
  fields: Readonly<Record<string, string>>,
  queuedUs: number | undefined,
  issuedNow: AdoptionOutside['issuedAt'],
): LedgerEntry {
  const time = (field: string): Date | null => {
    const date = readForeignDate(fields[field]);
    return date === 'unreadable' ? null : date;
  };
  const issuedAt = time('issued_at') ?? issuedNow(userId);
  const requestedUs = queuedUs ?? issuedAt.getTime() * 1_000;
  const dates = { requestedAt: new Date(Math.floor(requestedUs / 1_000)), issuedAt, expiresAt: null };
  const ends = { usedAt: time('used_at'), revokedAt: time('revoked_at') };
  return { userId, couponId, requestedUs, ...dates, ...ends, worker: 'adopt', fence: 1, deliveries: 0, returned: false };
}
