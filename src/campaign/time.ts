import { parseDuration } from '../lib/duration.ts';
import { usageError } from '../lib/errors.ts';

/** ISO 8601: a date, with a time of day or not, with a zone or not. */
const WRITTEN = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const FIRST_YEAR = 1971;
/** Of a zone, as in ISO 8601: no place on earth is further from UTC. */
const MOST_HOURS = 18;
const FROM_NOW = /^in\s+(\S+)$/;

export interface InstantOptions {
  /** What a message calls it, such as `--opens-at`. */
  name?: string;
  /** IANA name of the zone in which a time without one is meant; without it such a time is refused. */
  zone?: string | undefined;
  now?: Date;
}

/**
 * An instant such as `2026-12-24T10:00:00+09:00`, `2026-12-24 10:00` in a zone, or `in 2h`. A local time without a zone means another
 * instant on every machine, and a date alone is midnight somewhere: both are refused unless the zone is said.
 *
 * @throws CouponError `BAD_DATE`
 */
export function parseInstant(text: string, { name = 'date', zone, now = new Date() }: InstantOptions = {}): Date {
  const [, fromNow] = FROM_NOW.exec(text) ?? [];
  if (fromNow !== undefined) return new Date(now.getTime() + parseDuration(fromNow, name));
  const match = WRITTEN.exec(text);
  if (!match) throw bad(name, text, 'is not a date');
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [fraction = '', offset] = match.slice(7);
  // Too early for any sale, and the zero of a clock is read as no time.
  if (year < FIRST_YEAR) throw bad(name, text, `lies before ${FIRST_YEAR}`);
  // Date rolls 2026-02-30 over into March instead of refusing it.
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (!exists || hour > 23 || minute > 59 || second > 59) throw bad(name, text, 'is not a date');
  const utcMs = Date.UTC(year, month - 1, day, hour, minute, second, Number(fraction.padEnd(3, '0').slice(0, 3)));
  if (offset !== undefined) {
    const ms = offsetMs(offset);
    if (ms === null) throw bad(name, text, 'has a zone that there is not');
    return new Date(utcMs - ms);
  }
  if (zone !== undefined) return inZone(utcMs, zone, name, text);
  throw bad(name, text, match[4] === undefined ? 'is a date without a time of day and a zone' : 'has no zone');
}

/** The same as it is shown: in the zone, with its name. */
export function formatInstant(date: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' }).format(
    date,
  );
  return `${parts.replace(',', '')} ${zone}`;
}

/** @throws CouponError `BAD_TIME_ZONE` */
export function parseTimeZone(text: string, name = '--time-zone'): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw usageError('BAD_TIME_ZONE', `${name}: "${text}" is no time zone`, 'Write an IANA name, such as Asia/Seoul or UTC.');
  }
}

/** Null: there is no such zone. */
function offsetMs(text: string): number | null {
  if (text === 'Z') return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text)!;
  if (Number(hours) > MOST_HOURS || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function inZone(wallMs: number, zone: string, name: string, text: string): Date {
  const instant = instantOfWall(wallMs, zone);
  if (instant === null) throw bad(name, text, `does not exist in ${zone}: the clocks go forward over it`);
  return instant;
}

/**
 * When the clocks of a zone show this; the earlier instant where they show it twice, null where they never do.
 *
 * @param wallMs what they show, as if it were UTC
 */
export function instantOfWall(wallMs: number, zone: string): Date | null {
  const shift = (at: number): number => {
    const shown = wallClock(zone).formatToParts(at);
    const part = (type: string): number => Number(shown.find((one) => one.type === type)!.value);
    const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return wall - Math.floor(at / 1_000) * 1_000;
  };
  // The shift before and after a change of the clocks.
  const candidates = [wallMs - 86_400_000, wallMs + 86_400_000].map((around) => wallMs - shift(around));
  const [found] = candidates.filter((at) => at + shift(at) === wallMs).toSorted((a, b) => a - b);
  return found === undefined ? null : new Date(found);
}

const wallClocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than using it a hundred times. */
function wallClock(zone: string): Intl.DateTimeFormat {
  const known = wallClocks.get(zone);
  if (known) return known;
  const numeric = 'numeric' as const;
  const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric };
  const clock = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...parts });
  wallClocks.set(zone, clock);
  return clock;
}

function bad(name: string, text: string, what: string) {
  return usageError(
    'BAD_DATE',
    `${name}: "${text}" ${what}`,
    'Write ISO 8601 with a zone, such as 2026-12-24T10:00:00+09:00; or name the zone with --time-zone Asia/Seoul.',
  );
}
