/**
 * The state that `audit --repair` must lead to, however it gets there. It mends what lost data has left behind, from what each store
 * proves: a row proves everything about its user, an issued hash proves a row that was lost, and every place proves an admission.
 */
import { scoreToMicros } from '../../src/campaign/coupon.ts';
import { readForeignDate } from '../../src/campaign/foreign-time.ts';
import { ack, isAbsurd, isOverdue, onOneScale, type TimeOf } from './claims.ts';
import { markSuspect } from './doubt.ts';
import { adoptable, drift, everybody, isAboutCoupon } from './drift.ts';
import { emptyRedis, hashOf, queueOrder, type Campaign, type LedgerEntry, type RedisSide } from './state.ts';

export function repair(campaign: Campaign, nowMs: number, timeOf: TimeOf): void {
  // That somebody was served out of turn has happened, and keys of another type are left to a person.
  const found = drift(campaign, nowMs).filter(({ code }) => code !== 'served_out_of_order' && code !== 'hash_wrong_type');
  if (found.length === 0 && adoptable(campaign).length === 0) return;
  if (campaign.redis.coupon?.epoch !== campaign.ledger.epoch) makeAnew(campaign);
  restoreRows(campaign);
  const promises = agreeOnAdmissions(campaign, timeOf);
  acknowledge(campaign);
  backToTheQueue(campaign, nowMs);
  const excess = setAside(campaign, nowMs);
  // Of a coupon that nothing was wrong with nothing is touched: a live sale goes on.
  const touched = found.some(isAboutCoupon) || promises > 0 || drift(campaign, nowMs).some(isAboutCoupon);
  campaign.ledger.maxFence = Math.max(campaign.ledger.maxFence, campaign.redis.coupon!.acked);
  if (excess > 0) markSuspect(campaign, campaign.ledger.epoch, 'repair');
  else if (touched) backIntoService(campaign);
}

/** Redis has lost the coupon, or has another life of it. The ledger has the last word: what belongs to the other life goes. */
function makeAnew(campaign: Campaign): void {
  const { total, epoch } = campaign.ledger;
  const { issued, admitted, occupied, coupon } = campaign.redis;
  // Hashes of people who were never accepted cannot be told from those of other services.
  const left = [...issued].filter(([userId]) => !admitted.has(userId));
  const stillOccupied = new Set([...occupied].filter((userId) => !admitted.has(userId)));
  const out = { total, stock: 0, returned: 0, suspect: 'repair', epoch, run: campaign.server, lastUs: 0, fence: 0, acked: 0 };
  campaign.redis = coupon
    ? { ...emptyRedis(), issued: new Map(left), occupied: stillOccupied, coupon: out }
    : { ...campaign.redis, coupon: out };
}

/** A hash is written after the row: somebody accepted who has a hash and no row had one, and gets it back, if all of them fit. */
function restoreRows(campaign: Campaign): void {
  const { redis, ledger } = campaign;
  const proven = [...redis.issued].flatMap(([userId, hash]) => {
    const request = redis.admitted.get(userId);
    return request && !ledger.rows.has(userId) ? [{ userId, hash, requestedUs: scoreToMicros(request.score) ?? request.score }] : [];
  });
  if (ledger.issuedQuantity + proven.length > ledger.total) return;
  const rows = proven.map(({ userId, hash, requestedUs }): LedgerEntry => {
    const { fence = 0, deliveries = 0 } = redis.claims.get(userId) ?? {};
    const requestedAt = new Date(Math.floor(requestedUs / 1_000));
    const dates = { requestedAt, issuedAt: new Date(hash['issued_at']!), expiresAt: null, usedAt: usedAt(hash), revokedAt: null };
    return { userId, couponId: campaign.couponId, requestedUs, ...dates, worker: 'repair', fence, deliveries };
  });
  for (const row of rows) ledger.rows.set(row.userId, row);
  ledger.issuedQuantity += rows.length;
  ack(campaign, ledger.epoch, rows);
}

/**
 * Everybody who stands somewhere was accepted, at one time: that of the ledger, else of the admission, the queue, the claim.
 *
 * @returns how many admissions were written that were not there, or said something else; those of other services do not count
 */
function agreeOnAdmissions(campaign: Campaign, timeOf: TimeOf): number {
  const { admitted, waiting, claims } = campaign.redis;
  for (const userId of waiting.keys()) {
    if (admitted.has(userId)) continue;
    const score = onOneScale(campaign.redis, userId, timeOf);
    admitted.set(userId, { score, requestId: '' });
    waiting.set(userId, score);
  }
  let changed = 0;
  for (const userId of everybody(campaign)) {
    const row = campaign.ledger.rows.get(userId);
    const before = admitted.get(userId);
    const scores = [before?.score, waiting.get(userId), claims.get(userId)?.score].filter((score) => score !== undefined);
    const times = scores.map((score) => scoreToMicros(score) ?? score);
    const agree = times.every((score) => score === times[0]) && (!row || times.every((score) => score === row.requestedUs));
    if (agree && before) continue;
    const score = row?.requestedUs ?? scores.map(scoreToMicros).find((us) => us !== null) ?? times[0];
    if (score === undefined) continue;
    changed += 1;
    admitted.set(userId, { score, requestId: before?.requestId ?? '' });
    if (waiting.has(userId)) waiting.set(userId, score);
    if (claims.has(userId)) claims.get(userId)!.score = score;
    // Nothing about this user can be under way: the admission comes first of all.
    if (row && !before) ack(campaign, campaign.ledger.epoch, [row]);
  }
  return changed;
}

/** Whoever has a row is not dead, and has a hash that says the same, unless a worker is about to write it. */
function acknowledge(campaign: Campaign): void {
  const { dead, issued, occupied, waiting, leases } = campaign.redis;
  for (const row of campaign.ledger.rows.values()) {
    const { userId } = row;
    const underWay = waiting.has(userId) || leases.has(userId);
    if (dead.has(userId) || (!issued.has(userId) && !occupied.has(userId) && !underWay)) ack(campaign, campaign.ledger.epoch, [row]);
    const hash = issued.get(userId);
    if (!hash) continue;
    // Nobody is given a coupon again that was used, even if only the hash still knows.
    row.usedAt ??= usedAt(hash);
    issued.set(userId, hashOf(row));
  }
}

function usedAt(hash: Readonly<Record<string, string>>): Date | null {
  const date = readForeignDate(hash['used_at']);
  return date === 'unreadable' ? null : date;
}

/** Whoever was accepted and stands nowhere, or is leased so that no claim would ever take it back, waits at the original place. */
function backToTheQueue({ redis, ledger }: Campaign, nowMs: number): void {
  const { admitted, waiting, leases, claims, dead } = redis;
  for (const [userId, { score }] of admitted) {
    if (waiting.has(userId) || dead.has(userId)) continue;
    const stuck = leases.has(userId) ? !claims.has(userId) || isAbsurd(redis, userId, nowMs) : !ledger.rows.has(userId);
    if (stuck) queueAgain(redis, userId, score);
  }
}

/** The claim record is kept or made: this user has lost a turn, which the order of serving must not be judged by. */
function queueAgain({ leases, waiting, claims }: RedisSide, userId: string, score: number): void {
  leases.delete(userId);
  waiting.set(userId, score);
  if (!claims.has(userId)) claims.set(userId, { fence: 0, worker: 'repair', score, leaseMs: 0, deliveries: 1, faults: 0 });
}

/**
 * While there are more promises than pieces, whoever asked last and has no row gives the promise up: first among those who wait or
 * whom no worker holds any more, then among the dead.
 *
 * @returns how many promises are still too many, because workers hold the users
 */
function setAside({ redis, ledger }: Campaign, nowMs: number): number {
  const { admitted, waiting, leases, claims, dead } = redis;
  const coupon = redis.coupon!;
  let excess = admitted.size - coupon.total - coupon.returned;
  if (excess <= 0) return 0;
  for (const userId of leases.keys()) if (isOverdue(redis, userId, nowMs)) queueAgain(redis, userId, admitted.get(userId)!.score);
  const buried = [...dead].filter(([userId, reason]) => admitted.has(userId) && reason !== 'over_promised').map(([userId]) => userId);
  const byScore = new Map(buried.map((userId) => [userId, admitted.get(userId)!.score]));
  for (const userId of [...queueOrder(waiting).toReversed(), ...queueOrder(byScore).toReversed()]) {
    if (excess === 0) break;
    if (ledger.rows.has(userId)) continue;
    for (const place of [waiting, leases, claims]) place.delete(userId);
    dead.set(userId, 'over_promised');
    coupon.returned += 1;
    excess -= 1;
  }
  return excess;
}

/** Numbers never fall; the stock follows from who was accepted. */
function backIntoService({ redis, ledger, server }: Campaign): void {
  const coupon = redis.coupon!;
  coupon.fence = Math.max(coupon.fence, ledger.maxFence);
  coupon.lastUs = Math.max(coupon.lastUs, ...[...ledger.rows.values()].map((row) => row.requestedUs));
  coupon.total = ledger.total;
  coupon.stock = ledger.total + coupon.returned - redis.admitted.size;
  Object.assign(coupon, { suspect: '', run: server });
}
