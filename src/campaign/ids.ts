import { CouponError, usageError } from '../lib/errors.ts';
import { printable } from '../lib/text/visible.ts';
import { ESCAPE } from './member.ts';

/** 1–64 of `A–Z a–z 0–9 . _ -`, starting with a letter or digit. */
export const COUPON_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What a ledger row may hold: the rule for user ids before serialised ones were refused. */
const VISIBLE = /^[!-z|~]{1,128}$/;

/**
 * 1–128 visible ASCII characters other than braces, which Redis Cluster would read as a hash tag. Not those that a serializer wrote
 * (`"kim"` would be a second person beside `kim`), and no escapes of {@link ESCAPE}. `stores/redis/lua/drain/claim.lua` holds the same rule.
 */
export const USER_ID = new RegExp(`^(?!["[])(?!.*${ESCAPE.source})[!-z|~]{1,128}$`);

export const SERIALISED = 'looks serialised (JSON or JDK); write plain ids with a string serializer';

/** Why the program itself dead-letters a user; every other reason is what the ledger said. */
export const DEAD_REASONS: Readonly<Record<string, string>> = {
  invalid_user_id: 'not a user id: 1–128 visible ASCII characters other than "{" and "}"',
  looks_serialised: SERIALISED,
  over_promised: 'promised beyond the total',
};

export function isCouponId(text: string): boolean {
  return COUPON_ID.test(text);
}

export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/** Whether the ledger may hold a row of this user: it may be older than the present rule. */
export function mayHaveRow(text: string): boolean {
  return VISIBLE.test(text);
}

/** Why a text is no user id; null: it is one. */
export function userIdProblem(text: string): string | null {
  if (isUserId(text)) return null;
  if (looksSerialised(text)) return SERIALISED;
  if (VISIBLE.test(text)) return 'contains an escaped byte such as \\xac, which stands for bytes that cannot be shown';
  return 'is not 1–128 visible ASCII characters other than "{" and "}"';
}

/** JSON text, JSON list, JSON object, or the first bytes of a serialised Java object, as they are or escaped. */
function looksSerialised(text: string): boolean {
  return /^(["[{]|\u00ac\u00ed|\\xac\\xed)/i.test(text);
}

/** Companions that Spring Data keeps beside each hash: a set of its indexes, and a copy that outlives it. */
export function isCompanion(userId: string): boolean {
  return /:(idx|phantom)$/.test(userId);
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
  const why = userIdProblem(text);
  if (why === null) return text;
  throw new CouponError({
    code: 'BAD_USER_ID',
    kind: 'usage',
    message: `"${printable(text)}" is not a user id`,
    why: `it ${why}`,
    fix: 'Use 1–128 visible ASCII characters other than "{" and "}", not beginning with a quote or a bracket.',
  });
}
