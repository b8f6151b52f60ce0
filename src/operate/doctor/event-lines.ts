import type { CouponDefinition } from '../../campaign/coupon.ts';
import { windowWarnings } from '../../campaign/window-warnings.ts';
import { formatDuration } from '../../lib/duration.ts';
import { number, plural } from '../../lib/text/figures.ts';
import { ok, problem, warning, type Line } from './line.ts';
import type { EventPlan } from './plan.ts';

/** The last user waits so long, and asks whether it was for nothing. */
const LONG_WAIT_S = 600;
const FASTER = 'Raise --batch, shorten --interval, or run drain --eager.';

export function eventLines(event: EventPlan): Line[] {
  return event.coupons.flatMap((coupon): Line[] => [
    { check: 'event_window', where: coupon.id, ...windowOf(coupon, event.now) },
    { check: 'event_drain', where: coupon.id, ...drainOf(coupon, event) },
  ]);
}

/** Seconds from the first accepted user to the last issued coupon, at most; null: nothing but the stores limits it. */
export function drainSeconds({ coupons, perSecond }: EventPlan): number | null {
  if (!Number.isFinite(perSecond)) return null;
  return Math.max(...coupons.map(({ total }) => total / perSecond));
}

function windowOf(coupon: CouponDefinition, now: Date): ReturnType<typeof ok> {
  const [odd] = windowWarnings(coupon, now);
  const isOver = (coupon.closesAt && coupon.closesAt < now) || (coupon.expiry.kind === 'at' && coupon.expiry.at < now);
  if (odd !== undefined) return (isOver ? problem : warning)(odd, 'Correct opensAt, closesAt and expiresAt in the file.');
  return ok('its times are in order');
}

function drainOf({ total, opensAt, expiry }: CouponDefinition, { perSecond, now }: EventPlan): ReturnType<typeof ok> {
  const users = plural(total, 'user');
  if (!Number.isFinite(perSecond)) return ok(`${users}, issued as fast as the stores take them`);
  const seconds = total / perSecond;
  const text = `${users} at ${number(Number(perSecond.toFixed(1)))}/s are issued within ${formatDuration(seconds * 1_000)}`;
  const done = Math.max(now.getTime(), opensAt?.getTime() ?? 0) + seconds * 1_000;
  if (expiry.kind === 'at' && done > expiry.at.getTime()) return problem(`${text}: the last coupons expire before they are issued`, FASTER);
  return seconds > LONG_WAIT_S ? warning(text, FASTER) : ok(text);
}
