import { microsBySize } from '../../campaign/coupon.ts';
import { suggestion } from '../../lib/suggest.ts';

/** One piece in the list of another service. */
export interface IssuedRow {
  userId: string;
  /** Microseconds since 1970; NaN when the list does not say. */
  requestedUs: number;
  issuedUs: number;
  /** Rises from one batch of the scheduler to the next, equal within one; NaN when the list does not say. */
  turn: number;
  revoked: boolean;
}

/** Columns of such a list, by name. Only the first must be there. */
export const ISSUED_COLUMNS = ['user_id', 'requested_at', 'issued_at', 'revoked_at', 'turn'] as const;
export type IssuedColumn = (typeof ISSUED_COLUMNS)[number];

/** `userId`, `USER_ID` and `user_id` are the same column. */
export function columnName(written: string): string {
  return written
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** What is wrong with the columns of a list, or null. */
export function columnProblem(columns: readonly string[]): string | null {
  if (columns.includes('user_id')) return null;
  return `there is no column "user_id"${suggestion('user_id', columns)}`;
}

/** @param cell text of a column, null when it is empty or not there */
export function issuedRow(cell: (column: IssuedColumn) => string | null): IssuedRow {
  const turn = cell('turn');
  return {
    userId: cell('user_id') ?? '',
    requestedUs: microsOf(cell('requested_at')),
    issuedUs: microsOf(cell('issued_at')),
    turn: turn !== null && /^-?\d+(\.\d+)?$/.test(turn) ? Number(turn) : microsOf(turn),
    revoked: cell('revoked_at') !== null,
  };
}

const ISO = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * Microseconds since 1970 of a time as databases and exports write it: ISO 8601 with `T` or a blank, UTC where no offset is given
 * (only comparisons matter), or a number of seconds, milliseconds or microseconds. NaN for anything else.
 */
export function microsOf(text: string | null): number {
  if (text === null) return Number.NaN;
  if (/^\d+(\.\d+)?$/.test(text)) return microsBySize(Number(text));
  const [, date, time, fraction = '', offset = 'Z'] = ISO.exec(text) ?? [];
  if (date === undefined) return Number.NaN;
  // `Date` knows offsets as +00:00 only.
  const zone = /^z$/i.test(offset) ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3).replace(':', '') || '00'}`;
  return Date.parse(`${date}T${time}${zone}`) * 1_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** How coarse these times are: whole seconds, milliseconds or microseconds. */
export function stepOf(us: Iterable<number>): number {
  let step = 1_000_000;
  for (const one of us) while (step > 1 && !Number.isNaN(one) && one % step !== 0) step /= 1_000;
  return step;
}
