import { isoOrNull, scoreToDate, scoreToIso } from '../../campaign/coupon.ts';
import { placeOf, type Place } from '../../campaign/place.ts';
import { ledgerCoupon, type InspectPorts, type PageOptions } from './coupons.ts';
import { storyOf, type StoryEvent } from './story.ts';
import type { IssuedLine, UserFacts } from './user-facts.ts';
import { AHEAD_MS } from '../../campaign/ports/redis-reader.ts';

/** Part of a queue, oldest first. Times are ISO 8601. */
export interface QueueList {
  couponId: string;
  /** Waiting altogether. */
  total: number;
  /**
   * `position` counts from 1; the next to be claimed, unless the queue holds scores of several units. `waitingMs` is null where the
   * score is no time, or lies in the future.
   */
  queue: { position: number; userId: string; requestedAt: string | null; waitingMs: number | null }[];
  next: string | null;
  /** The user after which this part was to begin waits no more, so it begins at the head. */
  restarted: boolean;
}

/** @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH` */
export async function inspectQueue(ports: InspectPorts, couponId: string, { limit, after }: PageOptions): Promise<QueueList> {
  await ledgerCoupon(ports, couponId);
  const { reader } = ports;
  // A position would mean another user a moment later, so the cursor is a user.
  const last = after === null ? null : (await reader.user(couponId, after)).position;
  const entries = await reader.queue(couponId, last === null ? 0 : last + 1, limit + 1);
  const coupon = await reader.coupon(couponId);
  const nowMs = await reader.now();
  const queue = entries.slice(0, limit).map(({ position, userId, score }) => ({
    position: position + 1,
    userId,
    requestedAt: scoreToIso(score),
    waitingMs: waitedMs(score, nowMs),
  }));
  const next = entries.length > limit ? (queue.at(-1)?.userId ?? null) : null;
  return { couponId, total: coupon?.waiting ?? entries.length, queue, next, restarted: after !== null && last === null };
}

function waitedMs(score: number, nowMs: number): number | null {
  const since = scoreToDate(score)?.getTime() ?? Number.POSITIVE_INFINITY;
  return since > nowMs + AHEAD_MS ? null : Math.max(0, nowMs - since);
}

/** Part of the issued coupons, in order of user id. */
export interface IssuedList {
  couponId: string;
  total: number;
  issued: IssuedLine[];
  next: string | null;
}

/** @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH` */
export async function inspectIssued(ports: InspectPorts, couponId: string, { limit, after }: PageOptions): Promise<IssuedList> {
  const coupon = await ledgerCoupon(ports, couponId);
  const rows = await ports.ledger.page(couponId, after ?? '', limit + 1);
  const issued = rows.slice(0, limit).map(issuedLine);
  return {
    couponId,
    total: coupon.issuedQuantity + coupon.returnedQuantity,
    issued,
    next: rows.length > limit ? (issued.at(-1)?.userId ?? null) : null,
  };
}

export interface UserDetail extends UserFacts {
  /** What became of the user, in order of time. */
  story: StoryEvent[];
}

/** @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH` */
export async function inspectUser(ports: InspectPorts, couponId: string, userId: string): Promise<UserDetail> {
  await ledgerCoupon(ports, couponId);
  // Redis first: a user on the way from there to the ledger is seen in at least one of them.
  const user = await ports.reader.user(couponId, userId);
  const [row] = await ports.ledger.rows(couponId, [userId]);
  const { admitted, waiting, claim, leaseDeadlineMs, dead } = user;
  const places: Place[] = [];
  if (row) places.push('issued');
  if (dead !== null) places.push('dead');
  if (leaseDeadlineMs !== null) places.push('claimed');
  if (waiting !== null) places.push('waiting');
  const detail = {
    couponId,
    userId,
    place: placeOf(user, row !== undefined),
    places,
    admitted: admitted && { requestedAt: scoreToIso(admitted.score), requestId: admitted.requestId },
    waiting: waiting === null ? null : { position: user.position === null ? null : user.position + 1, requestedAt: scoreToIso(waiting) },
    claim: claim && {
      worker: claim.worker,
      fence: claim.fence,
      deliveries: claim.deliveries,
      faults: claim.faults,
      leaseUntil: leaseDeadlineMs === null ? null : isoOrNull(leaseDeadlineMs),
    },
    dead,
    hash: user.issued,
    occupied: user.occupied,
    ledger: row ? issuedLine(row) : null,
  };
  return { ...detail, story: storyOf(detail) };
}

function issuedLine(row: Awaited<ReturnType<InspectPorts['ledger']['rows']>>[number]): IssuedLine {
  const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    userId: row.userId,
    requestedAt: row.requestedAt.toISOString(),
    issuedAt: row.issuedAt.toISOString(),
    expiresAt: iso(row.expiresAt),
    usedAt: iso(row.usedAt),
    revokedAt: iso(row.revokedAt),
    worker: row.worker,
    fence: row.fence,
    deliveries: row.deliveries,
  };
}
