import { otherSeparator } from '../../lib/csv.ts';
import { isNoUtf8 } from '../../lib/text/utf8.ts';
import { plain } from '../../lib/text/serialised.ts';
import { printable } from '../../lib/text/visible.ts';
import { microsBySize } from '../../campaign/coupon.ts';
import { usageError } from '../../lib/errors.ts';
import { happened, readForeignTime } from '../../campaign/foreign-time.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import type { IssuedBy } from '../scenario/verify.ts';

/** One issued coupon in the list of another service. */
export interface IssuedRow {
  /** The user who has it; where coupons go by names of their own, that name, see {@link issueName}. */
  userId: string;
  /** Microseconds since 1970; NaN when the list does not say. */
  requestedUs: number;
  issuedUs: number;
  /** Rises from one batch of the scheduler to the next, equal within one; NaN when the list does not say. */
  turn: number;
  revoked: boolean;
}

/** Columns of such a list, by name. Only `user_id` must be there, or `issue_id` where that tells them apart. */
export const ISSUED_COLUMNS = ['user_id', 'issue_id', 'requested_at', 'issued_at', 'persisted_at', 'revoked_at', 'turn'] as const;
export type IssuedColumn = (typeof ISSUED_COLUMNS)[number];

/** `userId`, `USER_ID` and `user_id` are the same column. */
export function columnName(written: string): string {
  return written
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** The name of an issued coupon among the names of users, none of which has a space. */
export function issueName(issueId: string): string {
  return `issue ${issueId}`;
}

/** The column that tells coupons apart. */
export function keyColumn(by: IssuedBy): IssuedColumn {
  return by === 'issue' ? 'issue_id' : 'user_id';
}

/** What is written where there is no name. None of these is an id. */
const NO_NAME: ReadonlySet<string> = new Set(['', String.raw`\N`, 'NULL', 'null', '(null)', '<null>', 'None', 'undefined', 'NaN']);

/** A name without what a serializer has put around it; null: there is none in it. */
export function plainName(written: string): string | null {
  const { text, serializer } = plain(written.trim());
  const isLost = serializer === 'jdk' || serializer === 'bytes' || text.startsWith('{');
  return isLost || NO_NAME.has(text) ? null : text;
}

/** What is wrong with the columns of a list, or null. */
export function columnProblem(columns: readonly string[], by: IssuedBy): string | null {
  const key = keyColumn(by);
  if (columns.includes(key)) return null;
  const other = columns.some(isNoUtf8) ? 'it is not UTF-8' : otherSeparator(columns);
  if (other !== null) return other;
  const why = by === 'issue' ? ', which request.issueId is compared with' : '';
  return `there is no column "${key}"${why}${suggestion(key, columns)}`;
}

/**
 * @param cell text of a column, null when it is empty or not there
 * @param where the row stands, such as `line 3`
 * @throws CouponError `ISSUED_TIME` for a text that is no time: whether such a coupon is revoked, or when it was asked for, is not known;
 *   `ISSUED_USER` for a row that does not say whose coupon it is
 */
export function issuedRow(cell: (column: IssuedColumn) => string | null, where: () => string, by: IssuedBy): IssuedRow {
  const turn = cell('turn');
  const time = (column: IssuedColumn): number | null => timeOf(column, cell(column), where);
  return {
    userId: by === 'issue' ? issueName(nameOf('issue_id', cell, where)) : nameOf('user_id', cell, where),
    requestedUs: time('requested_at') ?? Number.NaN,
    // When a worker wrote the row says when the coupon was there, and nothing about whose turn it was.
    issuedUs: time('issued_at') ?? time('persisted_at') ?? Number.NaN,
    turn: turn !== null && /^-?\d+(\.\d+)?$/.test(turn) ? Number(turn) : (time('turn') ?? Number.NaN),
    revoked: isPast(time('revoked_at')),
  };
}

function isPast(us: number | null): boolean {
  return us !== null && happened(new Date(us / 1_000), Date.now()) !== null;
}

function nameOf(column: IssuedColumn, cell: (column: IssuedColumn) => string | null, where: () => string): string {
  const text = cell(column);
  const name = plainName(text ?? '');
  if (name !== null) return name;
  throw usageError(
    'ISSUED_USER',
    `the list of issued coupons cannot be used: ${column} of ${where()} is ${text === null ? 'empty' : `"${printable(text, 40)}", which names nobody`}`,
    'Leave rows without a name out of the list, and write plain ids.',
  );
}

/** Microseconds since 1970, UTC where no zone is given (only comparisons matter); null for none. */
function timeOf(column: IssuedColumn, text: string | null, where: () => string): number | null {
  const time = readForeignTime(text);
  if (time.kind !== 'unreadable') return time.kind === 'time' ? time.us : null;
  // Some services number their requests; that is an order too, and nothing that a revocation could be.
  if (column !== 'revoked_at' && /^\d+(\.\d+)?$/.test(text!)) return microsBySize(Number(text));
  throw usageError(
    'ISSUED_TIME',
    `the list of issued coupons cannot be used: ${column} of ${where()} is "${printable(text!, 40)}", which is no time`,
    'Write ISO 8601 (UTC where there is no zone) or a number since 1970; where there is no time, NULL or nothing.',
  );
}

/** How coarse these times are: whole seconds, milliseconds or microseconds. */
export function stepOf(us: Iterable<number>): number {
  let step = 1_000_000;
  for (const one of us) while (step > 1 && !Number.isNaN(one) && one % step !== 0) step /= 1_000;
  return step;
}
