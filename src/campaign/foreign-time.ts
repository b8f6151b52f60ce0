/**
 * One reading of times that other programs wrote, for hashes, tables and exports alike. `stores/redis/lua/shared/foreign-time.lua` is the same
 * in Lua; a test drives both with the same texts.
 *
 * A time is: ISO 8601 with a blank or a `T`, with or without seconds, a fraction, a zone (UTC where none is given), or a date alone; a
 * number of seconds, milliseconds, microseconds or nanoseconds since 1970, by its size; digits alone (20261125, 20261125120000); the
 * arrays of java.time; and any of these in quotes or with a Java type before them.
 */

/**
 * `us`: microseconds since 1970. `local`: it was written without a zone, and `us` takes it for UTC. `unreadable`: neither a time nor a way
 * to write that there is none.
 */
export type ForeignTime = { kind: 'none' } | { kind: 'time'; us: number; local?: true } | { kind: 'unreadable' };

/** How programs write that there is no time, in lower case; besides zero, and the dates that stand for it. */
const NONE: ReadonlySet<string> = new Set([
  '',
  'null',
  '(null)',
  '<null>',
  '[null]',
  '\\n',
  'none',
  'nil',
  'undefined',
  'nan',
  'nat',
  'n/a',
  'false',
  'f',
  'no',
  'n',
]);
const ZERO = /^0+(\.0*)?l?$/;
/** MySQL's zero date; and the zero time of Go and .NET. */
const ZERO_DATE = /^(0000-00-00|0001-01-01([ t]00:00(:00(\.0+)?)?)?(z|\+00:?00)?$)/;

const NUMBER = /^(\d+)(\.\d+)?(e\+?\d+)?l?$/;
const ISO = /^(\d{4})([-/])(\d\d)([-/])(\d\d)(.*)$/;
const CLOCK = /^[ t]+(\d\d):(\d\d)(.*)$/;
const SECONDS = /^:(\d\d)(.*)$/;
const FRACTION = /^[.,](\d+)(.*)$/;
const OFFSET = /^([+-])(\d\d):?(\d\d)?$/;
/** `["java.time.Instant", …]`. */
const TYPED = /^\[\s*"[\w.$]+"\s*,\s*(.+)\]$/;
const ARRAY = /^\[([\d\s,]+)\]$/;

/** Of nested quotes and types. */
const DEEPEST = 4;
/** What is longer than any time is not even looked at. */
const LONGEST = 200;
/** Smaller numbers of seconds (before March 1973) are flags, counters or ids. */
const FIRST_SECOND = 1e8;
/** The zero of a clock that shows the time of its zone: no zone is further than this from UTC. */
const ZERO_WITHIN_US = 14 * 3_600_000_000;
/** Fifty years: no clock is so far ahead. */
const FAR_MS = 18_262 * 86_400_000;
/** The end of the year 9999. */
const LAST_US = 253_402_300_800_000_000;

export function readForeignTime(text: string | null | undefined): ForeignTime {
  const us = (text ?? '').length > LONGEST ? null : microsOf(text ?? '', DEEPEST);
  return us === 0 ? { kind: 'none' } : us === null ? { kind: 'unreadable' } : { kind: 'time', us };
}

/** As {@link readForeignTime}, with a mark on times that another zone would move: clock times, dates, and arrays of java.time. */
export function readZonedTime(text: string | null | undefined): ForeignTime {
  const time = readForeignTime(text);
  return time.kind === 'time' && isLocal(text!, DEEPEST) ? { ...time, local: true } : time;
}

function isLocal(written: string, depth: number): boolean {
  const text = written.trim().toLowerCase();
  const inner = depth > 0 ? (unquoted(text) ?? TYPED.exec(text)?.[1]) : undefined;
  if (inner !== undefined) return isLocal(inner, depth - 1);
  const [, , , , , , afterDate] = ISO.exec(text) ?? [];
  if (afterDate !== undefined) return !/(z|utc|gmt|[+-]\d\d:?(\d\d)?)(\[[\w/+-]+\])?$/.test(afterDate);
  return ARRAY.test(text) || (/^\d+$/.test(text) && ofDigits(text) !== null);
}

/** The same as a date of milliseconds; null for none. @returns 'unreadable' for what is no time */
export function readForeignDate(text: string | null | undefined): Date | null | 'unreadable' {
  const time = readForeignTime(text);
  if (time.kind !== 'time') return time.kind === 'none' ? null : 'unreadable';
  return new Date(Math.floor(time.us / 1_000));
}

/** A time of use or of revocation. Programs write dates far ahead, such as 9999-12-31, for what has not happened: null for those as well. */
export function happened(date: Date | null, nowMs: number): Date | null {
  return date !== null && date.getTime() <= nowMs + FAR_MS ? date : null;
}

/** 0: none; null: unreadable. */
function microsOf(written: string, depth: number): number | null {
  // Blanks as Lua has them: trim() would take those of Unicode as well.
  const text = written.replace(/^[ \t-\r]+|[ \t-\r]+$/g, '').toLowerCase();
  if (NONE.has(text) || ZERO.test(text) || ZERO_DATE.test(text)) return 0;
  const inner = depth > 0 ? (unquoted(text) ?? TYPED.exec(text)?.[1]) : undefined;
  if (inner !== undefined) return microsOf(inner, depth - 1);
  const us = ofNumber(text) ?? ofArray(text) ?? ofIso(text);
  if (us === null) return null;
  if (Math.abs(us) <= ZERO_WITHIN_US) return 0;
  return us >= 0 && us < LAST_US ? us : null;
}

function unquoted(text: string): string | undefined {
  const quote = text[0];
  if (text.length < 2 || (quote !== '"' && quote !== "'") || text.at(-1) !== quote) return undefined;
  return text.slice(1, -1).replace(/\\(["\\/])/g, '$1');
}

function ofNumber(text: string): number | null {
  const [, whole, fraction = '', exponent = ''] = NUMBER.exec(text) ?? [];
  if (whole === undefined) return null;
  if (fraction === '' && exponent === '') {
    const digits = ofDigits(whole);
    if (digits !== null) return digits;
    // In a double the last digits of nanoseconds are lost, and with them the microsecond.
    if (whole.length === 19) return Number(whole.slice(0, -3));
  }
  const number = Number(whole + fraction + exponent);
  if (number < FIRST_SECOND) return null;
  if (number < 1e11) return Math.round(number * 1e6);
  if (number < 1e14) return Math.round(number * 1e3);
  if (number < 1e17) return Math.round(number);
  return Math.round(number / 1e3);
}

/** 20261125 and 20261125120000: as numbers of seconds or milliseconds they would be the years 1970 and 2612. */
function ofDigits(digits: string): number | null {
  if (!/^(19|20)/.test(digits) || (digits.length !== 8 && digits.length !== 14)) return null;
  const part = (from: number, to: number): number => Number(digits.slice(from, to) || '0');
  return micros(part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14), 0);
}

/** Year, month, day; then hour and minute; then second, then nanosecond. */
function ofArray(text: string): number | null {
  const inside = ARRAY.exec(text)?.[1];
  if (inside === undefined) return null;
  const parts = inside.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^\d+$/.test(part)) || ![3, 5, 6, 7].includes(parts.length)) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0, nano = 0] = parts.map(Number) as [number, number, number];
  return nano > 999_999_999 ? null : micros(year, month, day, hour, minute, second, Math.floor(nano / 1_000));
}

function ofIso(text: string): number | null {
  const [, year, dash, month, again, day, afterDate = ''] = ISO.exec(text) ?? [];
  if (year === undefined || dash !== again) return null;
  const date = [Number(year), Number(month), Number(day)] as const;
  if (afterDate === '') return micros(...date, 0, 0, 0, 0);
  const [, hour, minute, afterMinute = ''] = CLOCK.exec(afterDate) ?? [];
  if (hour === undefined) return null;
  const [, second = '0', afterSecond = afterMinute] = SECONDS.exec(afterMinute) ?? [];
  const [, fraction = '', zone = afterSecond] = (afterSecond !== afterMinute && FRACTION.exec(afterSecond)) || [];
  const offset = minutesOf(zone);
  if (offset === null) return null;
  const us = micros(...date, Number(hour), Number(minute), Number(second), Number(fraction.slice(0, 6).padEnd(6, '0')));
  return us === null ? null : us - offset * 60_000_000;
}

/** Minutes east of UTC; null for what is no zone. A name in brackets only repeats the offset before it. */
function minutesOf(zone: string): number | null {
  const text = zone.replace(/\[[\w/+-]+\]$/, '').trim();
  if (text === '' || text === 'z' || text === 'utc' || text === 'gmt') return text === '' && zone.includes('[') ? null : 0;
  const [, sign, hours = '', minutes = '0'] = OFFSET.exec(text) ?? [];
  if (sign === undefined || Number(hours) > 18 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** Null for a date that no calendar has. */
function micros(year: number, month: number, day: number, hour: number, minute: number, second: number, us: number): number | null {
  if (year < 1969 || year > 9999 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1_000 + us;
}
