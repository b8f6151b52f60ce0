/**
 * The state that `audit --repair` must lead to, however it gets there. It mends what lost data has left behind, from what each store
 * proves: a row proves everything about its user, an issued hash proves a row that was lost, and every place proves an admission.
 */
import { scoreToMicros } from '../../src/campaign/coupon.ts';
import { readForeignDate } from '../../src/campaign/foreign-time.ts';
import { ack, isAbsurd, isOverdue, onOneScale, type TimeOf } from './claims.ts';
import { markSuspect } from './doubt.ts';
import { adoptable, drift, everybody, isAboutCoupon } from './drift.ts';
import type { FindingCode } from '../../src/audit/findings.ts';
import { latestRequest } from './take-back.ts';
import { emptyRedis, hashOf, queueOrder, type Campaign, type LedgerEntry, type RedisSide } from './state.ts';

export function repair(campaign: Campaign, options: { reopen: boolean; confirm: boolean }, { nowMs, timeOf }: Given): void {
  // That somebody was served out of turn has happened, and keys of another type are left to a person.
  const found = drift(campaign, nowMs).filter(({ code }) => code !== 'served_out_of_order' && code !== 'hash_wrong_type');
  if (found.length === 0 && adoptable(campaign).length === 0) return;
  if (isFormerLife(campaign) && !options.confirm && isAnybodyThere(campaign.redis)) return;
  const stock = stockKnown(campaign);
  const missing = Math.max(missingNow(campaign), campaign.ledger.mayBeMissing ?? 0) || null;
  const pause = missing !== null && !options.reopen && stateBefore(campaign) === 'open';
  campaign.ledger.mayBeMissing = missing;
  const before = campaign.redis.coupon;
  const suspect = isFormerLife(campaign) ? '' : (before?.suspect ?? '');
  const bound = before?.epoch !== campaign.ledger.epoch;
  const dangerous = found.some(({ code }) => DANGEROUS.has(code));
  if (bound) bind(campaign);
  else if (dangerous) markSuspect(campaign, campaign.ledger.epoch, 'repair');
  if (found.some(({ code }) => code === 'ledger_behind'))
    campaign.ledger.maxFence = Math.max(campaign.ledger.maxFence, campaign.redis.coupon!.acked);
  restoreRows(campaign);
  const unadmitted = new Set(everybody(campaign).filter((userId) => !campaign.redis.admitted.has(userId)));
  const promises = agreeOnAdmissions(campaign, timeOf);
  acknowledge(campaign, nowMs);
  backToTheQueue(campaign, nowMs, unadmitted);
  const excess = setAside(campaign, nowMs);
  // Of a coupon that nothing was wrong with nothing is touched: a live sale goes on.
  const touched = bound || found.some(isAboutCoupon) || promises > 0 || excess.moved > 0;
  const decided = missing !== null && (options.reopen || pause);
  const settings = bound || found.some(({ code }) => SETTINGS.has(code));
  const last = touched && (settings || suspect !== '' || decided || stock !== targetStock(campaign));
  if (excess.left > 0) return markSuspect(campaign, campaign.ledger.epoch, 'repair');
  if (!(last || dangerous)) return;
  backIntoService(campaign);
  if (missing === null) return;
  const { coupon } = campaign.redis;
  if (options.reopen && coupon!.state === 'paused') coupon!.state = 'open';
  if (pause) coupon!.state = 'paused';
  if (options.reopen) campaign.ledger.mayBeMissing = null;
}

export interface Given {
  nowMs: number;
  timeOf: TimeOf;
}

const DANGEROUS: ReadonlySet<FindingCode> = new Set([
  'coupon_missing',
  'epoch_missing',
  'epoch_mismatch',
  'redis_behind',
  'ledger_behind',
  'over_admitted',
  'total_mismatch',
  'version_mismatch',
  'stock_missing',
]);
const SETTINGS: ReadonlySet<FindingCode> = new Set([
  'total_mismatch',
  'redis_behind',
  'ledger_behind',
  'version_mismatch',
  'settings_mismatch',
]);

/** Whether all that Redis says of its epoch was ended by a reset. */
export function isFormerLife({ redis, ledger }: Campaign): boolean {
  const marks = [redis.coupon?.epoch ?? '', redis.life ?? ''].filter((mark) => mark !== '');
  return (
    marks.length > 0 && redis.coupon?.epoch !== ledger.epoch && redis.life !== ledger.epoch && marks.every((mark) => ledger.ended.has(mark))
  );
}

function isAnybodyThere({ admitted, waiting, leases, claims, dead }: RedisSide): boolean {
  return [admitted, waiting, leases, claims, dead].some((place) => place.size > 0);
}

/** As a number of this life. */
function stockKnown(campaign: Campaign): number {
  return isFormerLife(campaign) ? Number.NaN : (campaign.redis.coupon?.stock ?? Number.NaN);
}

function stateBefore(campaign: Campaign): string {
  const inRedis = isFormerLife(campaign) ? '' : campaign.redis.coupon?.state;
  return inRedis || campaign.ledger.saleState || 'open';
}

/** How many accepted users may be missing, at most: coupons without a user, where Redis no longer says who had them. */
function missingNow(campaign: Campaign): number {
  const { redis, ledger } = campaign;
  const { coupon, life, admitted } = redis;
  const former = isFormerLife(campaign);
  const places = [redis.admitted, redis.waiting, redis.leases, redis.dead, redis.claims];
  const known = new Set([...(former ? [] : places.flatMap((place) => [...place.keys()])), ...ledger.rows.keys()]);
  const free = ledger.total + (former ? ledger.returnedQuantity : returnedOf(campaign)) - known.size;
  if (free <= 0) return 0;
  const ours = coupon?.epoch === ledger.epoch;
  const strange = !ours && life !== null && life !== ledger.epoch;
  if (former || strange || (coupon !== null && coupon.fence < ledger.maxFence)) return free;
  if (admitted.size > 0 && [...ledger.rows.keys()].every((userId) => admitted.has(userId))) return 0;
  if (!ours) return coupon !== null && life !== null && coupon.stock === free ? 0 : free;
  if (coupon.lastUs === 0) return 0;
  return Number.isNaN(coupon.stock) ? free : Math.min(free, Math.max(0, free - coupon.stock));
}

/** What over-promised users and revocations have given back. */
function returnedOf({ redis: { dead }, ledger }: Campaign): number {
  return ledger.returnedQuantity + [...dead.values()].filter((reason) => reason === 'over_promised').length;
}

function targetStock(campaign: Campaign): number {
  return campaign.ledger.total + returnedOf(campaign) - campaign.redis.admitted.size;
}

/**
 * Redis has lost the coupon, or another program rewrote its hash, or it is of another life. Every user stays, but those of a life that
 * the ledger has ended.
 */
function bind(campaign: Campaign): void {
  const { ledger, server } = campaign;
  if (isFormerLife(campaign)) {
    const { issued, admitted, occupied } = campaign.redis;
    const left = [...issued].filter(([userId]) => !admitted.has(userId));
    const stillOccupied = new Set([...occupied].filter((userId) => !admitted.has(userId)));
    campaign.redis = { ...emptyRedis(), issued: new Map(left), occupied: stillOccupied };
  }
  const { redis } = campaign;
  const before = redis.coupon ?? {
    total: ledger.total,
    stock: 0,
    returned: 0,
    givenBack: 0,
    fence: 0,
    lastUs: 0,
    acked: 0,
    minFence: 0,
    drainedBy: '',
    state: '' as const,
    name: ledger.name,
    closesAt: ledger.closesAt,
    version: ledger.version,
  };
  const fence = Math.max(before.fence || 0, ledger.maxFence, ...[...redis.claims.values()].map((claim) => claim.fence));
  const claimed = [...redis.claims.values()].map((claim) => scoreToMicros(claim.score) ?? 0);
  const lastUs = Math.max(before.lastUs, ...claimed, ...[...ledger.rows.values()].map((row) => row.requestedUs));
  redis.coupon = {
    ...before,
    suspect: 'repair',
    state: before.state || ledger.saleState || 'open',
    epoch: ledger.epoch,
    run: server,
    fence,
    lastUs,
  };
  redis.life = ledger.epoch;
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
    const dates = {
      requestedAt,
      issuedAt: new Date(hash['issued_at']!),
      expiresAt: null,
      usedAt: timeIn(hash, 'used_at'),
      revokedAt: timeIn(hash, 'revoked_at'),
    };
    return { userId, couponId: campaign.couponId, requestedUs, ...dates, worker: 'repair', fence, deliveries, returned: false };
  });
  for (const row of rows) ledger.rows.set(row.userId, row);
  ledger.issuedQuantity += rows.length;
  ledger.maxFence = Math.max(ledger.maxFence, ...rows.map(({ fence }) => fence));
  ack(campaign, ledger.epoch, rows);
}

/**
 * Everybody who stands somewhere was accepted, at one time: that of the ledger, else of the admission, the queue, the claim.
 *
 * @returns how many admissions were written that were not there, or said something else; those of other services do not count
 */
function agreeOnAdmissions(campaign: Campaign, timeOf: TimeOf): number {
  const { coupon, admitted, waiting, leases, claims, dead } = campaign.redis;
  for (const userId of waiting.keys()) {
    if (admitted.has(userId) || campaign.ledger.rows.has(userId)) continue;
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
    let score = row?.requestedUs ?? scores.map(scoreToMicros).find((us) => us !== null) ?? times[0];
    if (score === undefined) {
      if (!dead.has(userId) && !leases.has(userId)) continue;
      // Nothing says when any more.
      score = timeOf(userId);
      coupon!.lastUs = Math.max(coupon!.lastUs, score);
    }
    // A user whom another service queued does not count.
    if (before || !waiting.has(userId)) changed += 1;
    admitted.set(userId, { score, requestId: before?.requestId ?? '' });
    if (waiting.has(userId)) waiting.set(userId, score);
    if (claims.has(userId)) claims.get(userId)!.score = score;
    // Nothing about this user can be under way: the admission comes first of all.
    if (row && !before) ack(campaign, campaign.ledger.epoch, [row]);
  }
  return changed;
}

/** Whoever has a row is not dead nor held for ever, and has a hash that says the same, unless a worker is about to write it. */
function acknowledge(campaign: Campaign, nowMs: number): void {
  const { dead, issued, occupied, waiting, leases, claims } = campaign.redis;
  for (const row of campaign.ledger.rows.values()) {
    const { userId } = row;
    const held = leases.has(userId);
    const stuck = held ? !claims.has(userId) || isAbsurd(campaign.redis, userId, nowMs) : claims.has(userId) && !waiting.has(userId);
    const hashLost = !issued.has(userId) && !occupied.has(userId) && !waiting.has(userId) && !held;
    if (dead.has(userId) || stuck || hashLost) ack(campaign, campaign.ledger.epoch, [row]);
    const hash = issued.get(userId);
    if (!hash) continue;
    // Nobody is given a coupon again that was used, even if only the hash still knows.
    row.usedAt ??= row.revokedAt ? null : timeIn(hash, 'used_at');
    row.revokedAt ??= timeIn(hash, 'revoked_at');
    issued.set(userId, hashOf(row));
  }
}

function timeIn(hash: Readonly<Record<string, string>>, field: string): Date | null {
  const date = readForeignDate(hash[field]);
  return date === 'unreadable' ? null : date;
}

/**
 * Whoever was accepted and stands nowhere, or is leased so that no claim would ever take it back, waits at the original place; so does who
 * was `unadmitted`, and is leased to nobody any more.
 */
function backToTheQueue({ redis, ledger }: Campaign, nowMs: number, unadmitted: ReadonlySet<string>): void {
  const { admitted, waiting, leases, claims, dead } = redis;
  for (const [userId, { score }] of admitted) {
    if (waiting.has(userId) || dead.has(userId)) continue;
    if (ledger.rows.has(userId)) continue;
    const stuck = !leases.has(userId) || !claims.has(userId) || isAbsurd(redis, userId, nowMs);
    if (stuck || (unadmitted.has(userId) && isOverdue(redis, userId, nowMs))) queueAgain(redis, userId, score);
  }
}

/** The claim record is kept or made: this user has lost a turn, which the order of serving must not be judged by. */
function queueAgain({ leases, waiting, claims }: RedisSide, userId: string, score: number): void {
  leases.delete(userId);
  waiting.set(userId, score);
  if (!claims.has(userId)) claims.set(userId, { fence: 0, worker: 'repair', score, leaseMs: 0, deliveries: 1, faults: 0 });
}

/**
 * While there are more promises than coupons, whoever asked last and has no row gives the promise up: first among those who wait or
 * whom no worker holds any more, then among the dead. Where nobody can, nobody is moved.
 *
 * @returns how many gave theirs up, and how many promises are still too many, because workers hold the users
 */
function setAside(campaign: Campaign, nowMs: number): { moved: number; left: number } {
  const { redis, ledger } = campaign;
  const { admitted, waiting, leases, claims, dead } = redis;
  const excess = admitted.size - ledger.total - returnedOf(campaign);
  if (excess <= 0) return { moved: 0, left: 0 };
  const overdue = [...leases.keys()].filter((userId) => isOverdue(redis, userId, nowMs));
  const buried = [...dead].filter(([userId, reason]) => admitted.has(userId) && reason !== 'over_promised').map(([userId]) => userId);
  const asked = (userIds: readonly string[]) => userIds.map((userId): [string, number] => [userId, admitted.get(userId)!.score]);
  const places = [new Map([...waiting, ...asked(overdue)]), new Map(asked(buried))];
  const latestFirst = places.flatMap((place) => queueOrder(place).toReversed());
  const givingUp = latestFirst.filter((userId) => !ledger.rows.has(userId)).slice(0, excess);
  if (givingUp.length === 0) return { moved: 0, left: excess };
  // The others whom no worker holds go back to the queue: a coupon that stays out of service would never take them back.
  for (const userId of overdue) queueAgain(redis, userId, admitted.get(userId)!.score);
  for (const userId of givingUp) {
    for (const place of [waiting, leases, claims]) place.delete(userId);
    dead.set(userId, 'over_promised');
  }
  redis.coupon!.returned = returnedOf(campaign);
  return { moved: givingUp.length, left: excess - givingUp.length };
}

/** Numbers never fall; the stock follows from who was accepted, and what was returned from who is over-promised. */
function backIntoService(campaign: Campaign): void {
  const { redis, ledger, server } = campaign;
  const coupon = redis.coupon!;
  coupon.fence = Math.max(coupon.fence || 0, ledger.maxFence);
  coupon.lastUs = Math.max(coupon.lastUs, latestRequest(campaign));
  // The ledger has just said how far it is; where nobody is left who was accepted, nobody was issued.
  coupon.acked = redis.admitted.size > 0 ? Math.max(coupon.acked, ledger.maxFence) : 0;
  coupon.total = ledger.total;
  coupon.returned = returnedOf(campaign);
  coupon.givenBack = ledger.returnedQuantity;
  coupon.minFence = Math.max(coupon.minFence, ledger.minFence);
  coupon.stock = targetStock(campaign);
  const { version, name, closesAt } = ledger;
  Object.assign(coupon, { suspect: '', run: server, state: coupon.state || 'open', version, name, closesAt });
}
