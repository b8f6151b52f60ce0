import { usageError } from '../lib/errors.ts';
import { visible } from '../lib/visible.ts';

/** 1–64 of `A–Z a–z 0–9 . _ -`, starting with a letter or digit. */
export const COUPON_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * 1–128 visible ASCII characters other than braces. Braces would be read as a hash tag by Redis Cluster
 * (cluster specification, "hash tags"). `lua/claim.lua` holds the same rule for members that others queued.
 */
export const USER_ID = /^[!-z|~]{1,128}$/;

export function isCouponId(text: string): boolean {
  return COUPON_ID.test(text);
}

export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/** @throws CouponError `BAD_COUPON_ID` */
export function parseCouponId(text: string): string {
  if (isCouponId(text)) return text;
  throw usageError(
    'BAD_COUPON_ID',
    `"${printable(text)}" is not a coupon id`,
    'Use 1–64 letters, digits, ".", "_" or "-", starting with a letter or digit.',
  );
}

/** @throws CouponError `BAD_USER_ID` */
export function parseUserId(text: string): string {
  if (isUserId(text)) return text;
  throw usageError('BAD_USER_ID', `"${printable(text)}" is not a user id`, 'Use 1–128 visible ASCII characters other than "{" and "}".');
}

/** Made visible (see `visible.ts`) and length bounded, so that a foreign id can stand in a message or a table. */
export function printable(text: string, limit = 80): string {
  const shown = visible(text);
  // Not between the halves of a surrogate pair.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…` : shown;
}
