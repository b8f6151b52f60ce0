import { usageError } from '../lib/errors.ts';

/** Full ISO 8601 with a zone, or a date alone (midnight UTC). A local time without a zone means another instant on every machine. */
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2}))?$/;

/**
 * An instant such as `2026-12-24T10:00:00+09:00`, `2026-12-24T01:00:00Z` or `2026-12-24` (UTC).
 *
 * @throws CouponError `BAD_DATE`
 */
export function parseInstant(text: string, name = 'date'): Date {
  const match = INSTANT.exec(text);
  const date = new Date(match ? text.replace(' ', 'T') : Number.NaN);
  // Date rolls 2026-02-30 over into March instead of refusing it.
  const day = match && Number(match[3]) <= new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate();
  if (Number.isNaN(date.getTime()) || !day) {
    throw usageError('BAD_DATE', `${name}: "${text}" is not a date`, 'Write ISO 8601 with a zone, such as 2026-12-24T10:00:00+09:00.');
  }
  return date;
}
