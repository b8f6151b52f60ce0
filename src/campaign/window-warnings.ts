import { formatDuration } from '../lib/duration.ts';
import type { CouponDefinition } from './coupon.ts';

/** What a change makes odd: what was so before is known. */
export function newWindowWarnings(before: CouponDefinition, after: CouponDefinition, now: Date): string[] {
  const known = windowWarnings(before, now);
  return windowWarnings(after, now).filter((warning) => !known.includes(warning));
}

const SHORT_MS = 60_000;

/** What is odd about the times of a coupon, though not wrong; one sentence each. */
export function windowWarnings({ id, opensAt, closesAt, expiry }: CouponDefinition, now: Date): string[] {
  const ago = (date: Date): string => `${formatDuration(now.getTime() - date.getTime())} ago`;
  const warnings: string[] = [];
  if (closesAt && closesAt < now) warnings.push(`coupon ${id} closed ${ago(closesAt)}: no request for it is taken`);
  else if (closesAt && closesAt.getTime() - (opensAt ?? now).getTime() < SHORT_MS) {
    warnings.push(`coupon ${id} is open for ${formatDuration(closesAt.getTime() - (opensAt ?? now).getTime())} only`);
  } else if (opensAt && opensAt < now) warnings.push(`coupon ${id} opened ${ago(opensAt)}: requests for it are taken at once`);
  if (expiry.kind === 'at' && expiry.at < now) warnings.push(`coupons of ${id} expired ${ago(expiry.at)}: what is issued cannot be used`);
  return warnings;
}
