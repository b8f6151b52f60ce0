import { SUSPECT_REASONS, upToMissing } from '../../campaign/known-coupon.ts';
import { unreadableText } from '../../campaign/unreadable-window.ts';
import { WRONG_TYPE_FIX, wrongTypeText, type WrongType } from '../../campaign/wrong-type.ts';
import { formatDuration } from '../../lib/duration.ts';
import { plural } from '../../lib/text/figures.ts';
import { command } from '../../lib/text/suggested-command.ts';
import type { CouponState } from '../inspect/coupon-state.ts';
import { stillMs, type Sample } from './history.ts';
import type { LiveWorker } from './workers.ts';

export interface LiveWarning {
  /** Stable: `suspect`, `missing_in_redis`, …, `not_draining`, `lease_over`. */
  code: string;
  /** Null: it is about no coupon alone. */
  couponId: string | null;
  text: string;
  /** What to do about it. */
  fix: string;
}

/** Users waited and nobody was issued for so long: longer than the pace of any drain that is under way. */
const STILL_MS = 15_000;

/** @param samples of the coupon, the latest last */
export function couponWarnings(coupon: CouponState, samples: readonly Sample[]): LiveWarning[] {
  const { couponId, state, suspect, wrongType, mayBeMissing, unreadable, dead, timeless, future, waiting, oldestWaitingMs } = coupon;
  const found: LiveWarning[] = [];
  const warn = (code: string, text: string, fix: string): void => void found.push({ code, couponId, text, fix });
  const audit = `${command`audit ${couponId}`} says what is wrong.`;
  if (suspect !== null) warn('suspect', `out of service: ${SUSPECT_REASONS[suspect] ?? `marked "${suspect}"`}`, audit);
  if (wrongType !== null) warn('wrong_type', wrongTypeText(wrongType), WRONG_TYPE_FIX);
  else if (BROKEN[state] !== undefined) warn(state, BROKEN[state], state.startsWith('missing') ? audit : FIXES[state]!);
  if (mayBeMissing !== null)
    warn('may_be_missing', upToMissing(mayBeMissing), `Paused until ${command`audit ${couponId} --repair --reopen`}.`);
  if (unreadable)
    warn(
      'unreadable_time',
      `no requests are taken: ${unreadableText(unreadable)}`,
      `${command`audit ${couponId} --repair`} writes it anew.`,
    );
  if ((dead ?? 0) > 0) warn('dead', `${plural(dead!, 'user')} dead-lettered`, `${command`dead list ${couponId}`} shows them.`);
  const odd = timeless + future;
  if (odd > 0)
    warn(
      'odd_times',
      `${plural(odd, 'user')} waiting without a request time that has been`,
      `${command`inspect queue ${couponId}`} shows them.`,
    );
  const still = stillMs(samples, 'issued');
  const drainable = suspect === null && wrongType === null && BROKEN[state] === undefined;
  const waitsLong = (waiting ?? 0) > 0 && (oldestWaitingMs ?? STILL_MS) >= STILL_MS;
  if (drainable && waitsLong && still !== null && still >= STILL_MS)
    warn(
      'not_draining',
      `${plural(waiting!, 'user')} waiting and no coupon issued for ${formatDuration(still)}`,
      `${command`drain ${couponId}`} issues them.`,
    );
  return found;
}

const BROKEN: Readonly<Record<string, string>> = {
  seeding: 'its seeding was not finished',
  resetting: 'a reset or purge of it was not finished',
  missing_in_redis: 'the ledger has it, Redis does not',
  missing_in_ledger: 'Redis has it, the ledger does not',
  other_key_style: 'seeded with another key style',
  server_away: 'its server of the Redis Cluster is away',
};

const FIXES: Readonly<Record<string, string>> = {
  seeding: 'Run its `coupon-cli seed` command again.',
  resetting: 'Run that command again.',
  other_key_style: 'Look at it with the other --key-style.',
  server_away: 'Other coupons go on; bring the server back.',
};

export function workerWarnings(workers: readonly LiveWorker[]): LiveWarning[] {
  return workers.flatMap(({ worker, users, leaseLeftMs }) => {
    if (leaseLeftMs === null || leaseLeftMs >= 0) return [];
    const text = `worker ${worker || 'without a name'} let the lease of ${plural(users, 'user')} run out`;
    return [{ code: 'lease_over', couponId: null, text, fix: 'The next claim of any worker takes them back; is a drain running?' }];
  });
}

export function indexWarning(wrong: WrongType | null): LiveWarning[] {
  if (wrong === null) return [];
  return [
    {
      code: 'wrong_index',
      couponId: null,
      text: `coupons that only Redis has are not shown: ${wrongTypeText(wrong)}`,
      fix: WRONG_TYPE_FIX,
    },
  ];
}
