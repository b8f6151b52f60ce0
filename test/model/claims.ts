import { scoreToMicros, type Claim } from '../../src/campaign/coupon.ts';
import { readForeignTime } from '../../src/campaign/foreign-time.ts';
import { isUserId, SERIALISED, userIdProblem } from '../../src/campaign/ids.ts';
import { doubtAdmissions } from './doubt.ts';
import { hashOf, oldestFirst, type Campaign, type CouponHash, type LedgerEntry, type RedisSide } from './state.ts';

/** The request time that Redis gives to a user whose score is no time: that of the claim, or of the repair. */
export type TimeOf = (userId: string) => number;

export interface ClaimRequest {
  timeOf: TimeOf;
  epoch: string;
  limit: number;
  leaseMs: number;
  worker: string;
  /** No other worker is to drain the backlog meanwhile. */
  alone: boolean;
}

export type ClaimAnswer =
  | ({ status: 'ok'; claims: Claim[]; reclaimed: number; buried: number; waiting: number; acked: number } & Partial<Remarks>)
  | { status: 'gone' | 'epoch' | 'run' | 'suspect' | 'held' };

/** Who was dead-lettered by a claim, and who was claimed without a time; left out where there are none. */
export interface Remarks {
  refused: { userId: string; reason: string }[];
  timeless: string[];
}

/** Leases whoever has waited longest to one worker, after whatever nobody holds any more has gone back to the queue. */
export function claim({ redis, server }: Campaign, request: ClaimRequest, nowMs: number): ClaimAnswer {
  const { coupon } = redis;
  if (!coupon) return { status: 'gone' };
  if (coupon.epoch !== request.epoch) return { status: 'epoch' };
  if (coupon.suspect !== '') return { status: 'suspect' };
  if (coupon.run !== server) return { status: 'run' };
  doubtAdmissions(redis);
  if (coupon.suspect !== '') return { status: 'suspect' };
  if (request.alone && coupon.drainedBy !== '' && coupon.drainedBy !== request.worker) return { status: 'held' };

  const endsMs = nowMs + request.leaseMs;
  // One that ends before a new lease would is left to end.
  const overdue = [...redis.leases].flatMap(([userId, deadline]) =>
    isOverdue(redis, userId, nowMs) && (deadline <= nowMs || deadline > endsMs) ? [userId] : [],
  );
  const reclaimed = overdue.filter((userId) => backToQueue(redis, userId)).length;
  const claims: Claim[] = [];
  const [refused, timeless]: [Remarks['refused'], string[]] = [[], []];
  let buried = 0;
  const nextUs = Math.max(nowMs * 1_000, coupon.lastUs + 1);
  const oldest = oldestFirst(redis.waiting, nextUs).slice(0, request.limit);
  if (request.alone && oldest.length > 0) coupon.drainedBy = request.worker;
  for (const userId of oldest) {
    if (scoreToMicros(redis.waiting.get(userId)!) === null) timeless.push(userId);
    const score = onOneScale(redis, userId, request.timeOf);
    // Whoever another service queued counts from here on like one that we admitted.
    if (!redis.admitted.has(userId)) redis.admitted.set(userId, { score, requestId: '' });
    redis.waiting.delete(userId);
    if (redis.dead.has(userId) || !isUserId(userId)) {
      if (!redis.dead.has(userId)) refused.push({ userId, reason: setAsideInvalid(redis, userId) });
      buried += 1;
      continue;
    }
    // One number for all of one claim, and none for a claim of nobody.
    if (claims.length === 0) coupon.fence += 1;
    const before = redis.claims.get(userId);
    const deliveries = (before?.deliveries ?? 0) + 1;
    const { worker, leaseMs } = request;
    redis.claims.set(userId, { fence: coupon.fence, worker, score, leaseMs, deliveries, faults: before?.faults ?? 0 });
    redis.leases.set(userId, nowMs + leaseMs);
    claims.push({ userId, score, fence: coupon.fence, deliveries });
  }
  const remarks = { ...(refused.length > 0 ? { refused } : {}), ...(timeless.length > 0 ? { timeless } : {}) };
  return { status: 'ok', claims, reclaimed, buried, waiting: redis.waiting.size, acked: coupon.acked, ...remarks };
}

/** Request time of a user who waits, in microseconds: of the score, else of the admission, else what Redis gives. */
export function onOneScale({ coupon, waiting, admitted }: RedisSide, userId: string, timeOf: TimeOf): number {
  const known = scoreToMicros(waiting.get(userId)!) ?? scoreToMicros(admitted.get(userId)?.score ?? Number.NaN);
  if (known !== null) return known;
  const given = timeOf(userId);
  coupon!.lastUs = Math.max(coupon!.lastUs, given);
  return given;
}

/** Held by nobody any more. */
export function isOverdue(redis: RedisSide, userId: string, nowMs: number): boolean {
  const deadline = redis.leases.get(userId);
  return deadline !== undefined && (deadline <= nowMs || isAbsurd(redis, userId, nowMs));
}

/** Longer than twice its own length: the clock was set back since it was given. */
export function isAbsurd({ leases, claims }: RedisSide, userId: string, nowMs: number): boolean {
  const record = claims.get(userId);
  return record !== undefined && (leases.get(userId) ?? 0) > nowMs + 2 * record.leaseMs;
}

/** At the original place, which the claim remembers. */
function backToQueue({ leases, claims, waiting }: RedisSide, userId: string): boolean {
  const record = claims.get(userId);
  if (!record) return false;
  leases.delete(userId);
  waiting.set(userId, record.score);
  return true;
}

/** Such a name can stand neither in a key nor in the ledger. */
function setAsideInvalid({ dead, claims }: RedisSide, userId: string): string {
  const reason = userIdProblem(userId) === SERIALISED ? 'looks_serialised' : 'invalid_user_id';
  dead.set(userId, reason);
  claims.delete(userId);
  return reason;
}

/**
 * Makes visible what the ledger holds, and gives the claims up. The ledger has the last word; but what a worker remembers of it may name
 * somebody who was forgotten since.
 *
 * @param fence the lowest claim of that worker; left out: the rows are as they are now
 */
export function ack(
  { redis }: Campaign,
  epoch: string,
  rows: readonly LedgerEntry[],
  fence = Number.POSITIVE_INFINITY,
): 'ok' | 'epoch' | 'ended' {
  if (rows.length === 0) return 'ok';
  const { coupon } = redis;
  if (coupon?.epoch !== epoch) return 'epoch';
  if (fence < coupon.minFence) return 'ended';
  coupon.acked = Math.max(coupon.acked, ...rows.map((row) => row.fence));
  for (const row of rows) {
    const usedAt = redis.issued.get(row.userId)?.['used_at'];
    const revokedAt = redis.issued.get(row.userId)?.['revoked_at'];
    const kept = {
      ...(readForeignTime(usedAt).kind === 'time' ? { used_at: usedAt! } : {}),
      ...(readForeignTime(revokedAt).kind === 'time' ? { revoked_at: revokedAt! } : {}),
    };
    // The row is the coupon; a key of another type is left alone.
    if (!redis.occupied.has(row.userId)) redis.issued.set(row.userId, { ...hashOf(row), ...kept });
    redis.waiting.delete(row.userId);
    redis.leases.delete(row.userId);
    redis.claims.delete(row.userId);
    if (redis.dead.get(row.userId) === 'over_promised') takeBack(coupon);
    redis.dead.delete(row.userId);
  }
  return 'ok';
}

/** The coupon that an over-promised user gave up is taken after all, from the stock if there is any. */
function takeBack(coupon: CouponHash): void {
  coupon.returned = Math.max(coupon.returned - 1, 0);
  if (coupon.stock > 0) coupon.stock -= 1;
}

/** Claims that this worker still holds go back to the queue. How many did. */
export function release({ redis }: Campaign, epoch: string, held: readonly Pick<Claim, 'userId' | 'fence'>[]): number {
  if (redis.coupon?.epoch !== epoch) return 0;
  return held.filter((one) => isHeld(redis, one) && backToQueue(redis, one.userId)).length;
}

/** Sets aside whom the ledger refuses; the claim record stays, with one fault more. How many were. */
export function bury({ redis }: Campaign, epoch: string, refused: readonly { userId: string; fence: number; reason: string }[]): number {
  if (redis.coupon?.epoch !== epoch) return 0;
  const held = refused.filter((one) => isHeld(redis, one));
  for (const { userId, reason } of held) {
    redis.leases.delete(userId);
    redis.waiting.delete(userId);
    redis.dead.set(userId, reason);
    redis.claims.get(userId)!.faults += 1;
  }
  return held.length;
}

/** Leased, and by the claim of this number: a late worker does not undo what another one holds by now. */
function isHeld({ leases, claims }: RedisSide, { userId, fence }: Pick<Claim, 'userId' | 'fence'>): boolean {
  return leases.has(userId) && claims.get(userId)?.fence === fence;
}
