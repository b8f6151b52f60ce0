import type { LedgerCoupon, LedgerReader } from '../../campaign/ports/ledger.ts';
import { mayHaveRow } from '../../campaign/ids.ts';
import { couponNotInRedis, couponSuspect } from '../../campaign/known-coupon.ts';
import { placeOf, type Place } from '../../campaign/place.ts';
import type { Clock } from '../../lib/clock.ts';
import { usageError } from '../../lib/errors.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { changeUnfinished } from '../change.ts';
import type { Change, ChangeLedger } from '../ports.ts';
import type { ForgetLedger, ForgetRedis } from './ports.ts';

export interface ForgetPorts {
  ledger: Pick<LedgerReader, 'coupons' | 'rows'> & Pick<ChangeLedger, 'findChange'> & ForgetLedger;
  redisOf: (keyStyle: string) => ForgetRedis;
  clock: Clock;
  newOpId: () => string;
  /** Random: nothing leads back from it to the user. */
  newTombstone: () => string;
}

export interface ForgetOptions {
  byWhom: string;
  /** Say where the user is, change nothing. */
  dryRun: boolean;
}

/** A coupon in which the user was found. */
export interface ForgottenIn {
  couponId: string;
  /** Null: only in an operation that was interrupted. */
  place: Place | null;
  /** `finished`: it was begun by an earlier command. */
  outcome: 'found' | 'done' | 'finished';
}

export interface ForgetResult {
  dryRun: boolean;
  coupons: ForgottenIn[];
}

interface Found {
  coupon: LedgerCoupon;
  place: Place | null;
  /** An operation about this user that was interrupted. */
  begun: Change | null;
}

/** A drain that claims the user again each time is issuing others meanwhile, and gets to this one. */
const LOOKS = 100;
const LOOK_MS = 100;

/**
 * Puts a tombstone in the place of a user in every coupon, in both stores and in the log. Sums, order and states stay, and a user who
 * waits is issued under the tombstone. Interrupted anywhere, the same command finishes it.
 *
 * All coupons are looked at first: nothing is changed where one of them must be mended before.
 *
 * @throws CouponError `COUPON_NOT_READY`, `CHANGE_UNFINISHED`, `COUPON_SUSPECT`, `COUPON_NOT_IN_REDIS`, `USER_CLAIMED`
 */
export async function forgetUser(userId: string, { byWhom, dryRun }: ForgetOptions, ports: ForgetPorts): Promise<ForgetResult> {
  const { ledger, newOpId, newTombstone } = ports;
  const found: Found[] = [];
  for (const coupon of await ledger.coupons()) {
    const one = await lookFor(userId, coupon, ports);
    if (one) found.push(one);
  }
  for (const { coupon, place } of found) if (place === 'issued') await ledger.tryRename(coupon.id, userId, newTombstone());
  if (dryRun) return { dryRun, coupons: found.map(({ coupon, place }) => ({ couponId: coupon.id, place, outcome: 'found' })) };

  const coupons: ForgottenIn[] = [];
  for (const { coupon, place, begun } of found) {
    const tombstone = newTombstone();
    const change = begun ?? (await ledger.beginForget(newOpId(), coupon, { userId, tombstone, byWhom }));
    await forgetIn(coupon, userId, change, ports);
    coupons.push({ couponId: coupon.id, place, outcome: begun ? 'finished' : 'done' });
  }
  await ledger.redactLog(userId, newTombstone());
  return { dryRun, coupons };
}

/** Null: the user is not known there. */
async function lookFor(userId: string, coupon: LedgerCoupon, { ledger, redisOf }: ForgetPorts): Promise<Found | null> {
  const redis = redisOf(coupon.keyStyle);
  const user = (await redis.users(coupon.id, [userId]))[0]!;
  const [row] = mayHaveRow(userId) ? await ledger.rows(coupon.id, [userId]) : [];
  const unfinished = await ledger.findChange(coupon, null);
  const isOurs = unfinished?.kind === 'forget' && unfinished.details['user'] === userId;
  const traces = [user.admitted, user.waiting, user.leaseDeadlineMs, user.claim, user.dead, user.issued, user.occupied];
  if (!row && !isOurs && traces.every((trace) => trace === null)) return null;
  if (coupon.state !== 'ready')
    throw usageError(
      'COUPON_NOT_READY',
      `the user is known in coupon ${coupon.id}, which is ${coupon.state}`,
      'Run the command that does so again; then forget the user.',
    );
  if (unfinished && !isOurs) throw changeUnfinished(unfinished);
  const { suspect } = await redis.saleOf(coupon.id);
  if (suspect !== '') throw couponSuspect(coupon.id, suspect);
  return { coupon, place: placeOf(user, row !== undefined || user.issued !== null), begun: isOurs ? unfinished : null };
}

/** Redis moves first: from then on no worker can be given the user under the old id. Every step may be repeated. */
async function forgetIn(coupon: LedgerCoupon, userId: string, change: Change, ports: ForgetPorts): Promise<void> {
  const { ledger, redisOf } = ports;
  const redis = redisOf(coupon.keyStyle);
  const tombstone = String(change.details['tombstone']);
  await move(coupon, userId, tombstone, ports);
  await ledger.renameIssued(coupon.id, userId, tombstone);
  check(coupon.id, userId, await redis.forget(coupon.id, coupon.epoch, { userId, tombstone, step: 'clean' }));
  // A use that was decided just before shows in the row; its hash may have followed under the old id, or not at all.
  const rows = await ledger.rows(coupon.id, [tombstone]);
  if (rows.length > 0) await redis.ack(coupon.id, coupon.epoch, rows);
  await ledger.finishForget(change.opId);
}

/** Ends the claims that were made so far, one of which a worker may remember the user by; those still under way are made anew. */
async function move(coupon: LedgerCoupon, userId: string, tombstone: string, { ledger, redisOf, clock }: ForgetPorts): Promise<void> {
  const redis = redisOf(coupon.keyStyle);
  for (let look = 1; ; look += 1) {
    const minFence = (await redis.saleOf(coupon.id)).fence + 1;
    await ledger.endClaims(coupon, minFence);
    // A row that nobody acknowledged must not wait under another name: it would be issued a second time.
    const rows = mayHaveRow(userId) ? await ledger.rows(coupon.id, [userId]) : [];
    if (rows.length > 0) await redis.ack(coupon.id, coupon.epoch, rows);
    const status = await redis.forget(coupon.id, coupon.epoch, { userId, tombstone, step: { minFence } });
    if (status !== 'claimed' || look === LOOKS) return check(coupon.id, userId, status);
    await clock.sleep(LOOK_MS);
  }
}

function check(couponId: string, userId: string, status: Awaited<ReturnType<ForgetRedis['forget']>>): void {
  if (status === 'ok') return;
  if (status === 'gone') throw couponNotInRedis(couponId);
  if (status === 'suspect' || status === 'epoch') throw couponSuspect(couponId, status === 'epoch' ? 'epoch' : 'repair');
  throw usageError(
    'USER_CLAIMED',
    `workers claim the user in coupon ${couponId} again and again`,
    `Once the user is issued or dead-lettered, run ${command`forget ${userId} --confirm`} again: it goes on where it was.`,
  );
}
