import { durationFlag } from '../lib/duration.ts';
import { usageError } from '../lib/errors.ts';
import { isVisible, visible } from '../lib/text/visible.ts';

/** When an issued coupon stops being usable. `after` counts from the ledger's `issued_at`. */
export type Expiry = { kind: 'never' } | { kind: 'at'; at: Date } | { kind: 'after'; ms: number };

/** What an operator decides about a coupon. Everything else about it is state. */
export interface CouponDefinition {
  id: string;
  name: string;
  /** How many may ever be issued. */
  total: number;
  /** Start of the request window, included; null: open from the beginning. */
  opensAt: Date | null;
  /** End of the request window, excluded; null: never closes by itself. */
  closesAt: Date | null;
  expiry: Expiry;
}

/** A request that was accepted and leased to a worker. */
export interface Claim {
  userId: string;
  /** Request time in microseconds. A claim puts every score on this one scale. */
  score: number;
  /** Number of the claim that took this user; only rises. */
  fence: number;
  /** How many times this user has been handed to a worker, this time included. */
  deliveries: number;
}

/** A ledger row: a coupon that a user really has. */
export interface IssuedCoupon {
  couponId: string;
  userId: string;
  requestedAt: Date;
  issuedAt: Date;
  expiresAt: Date | null;
  usedAt: Date | null;
  revokedAt: Date | null;
}

/** More would not fit a Redis hash of admitted users on any machine that we know of. */
export const MAX_TOTAL = 100_000_000;
const MAX_NAME_CHARS = 200;

/**
 * The definition, checked as a whole and normalized (NFC name).
 *
 * @throws CouponError `BAD_TOTAL`, `BAD_NAME`, `BAD_WINDOW`, `BAD_EXPIRY`
 */
export function checkDefinition(definition: CouponDefinition): CouponDefinition {
  const { total, opensAt, closesAt, expiry } = definition;
  const name = definition.name.normalize('NFC').trim();
  if (!Number.isInteger(total) || total < 0 || total > MAX_TOTAL) {
    throw usageError('BAD_TOTAL', `stock ${total} is not possible`, `Use a whole number from 0 to ${MAX_TOTAL}.`);
  }
  if (name === '' || name.length > MAX_NAME_CHARS) {
    throw usageError('BAD_NAME', 'the name of a coupon must be 1–200 visible characters', 'Give one with --name.');
  }
  if (!isVisible(name)) {
    throw usageError(
      'BAD_NAME',
      `the name of a coupon must be 1–200 visible characters, and "${visible(name)}" holds others`,
      'Leave out control characters, and those that turn the writing direction or take no room.',
    );
  }
  if (opensAt && closesAt && closesAt <= opensAt) {
    throw usageError(
      'BAD_WINDOW',
      `the coupon would close (${isoTime(closesAt)}) before it opens (${isoTime(opensAt)})`,
      'Make --closes-at later than --opens-at.',
    );
  }
  if (expiry.kind === 'after' && expiry.ms <= 0) {
    throw usageError('BAD_EXPIRY', 'issued coupons would expire at once', 'Give --valid-for a duration above zero, such as 30d.');
  }
  const lastRequest = closesAt ?? opensAt;
  if (expiry.kind === 'at' && lastRequest && expiry.at <= lastRequest) {
    throw usageError(
      'BAD_EXPIRY',
      `issued coupons would expire (${isoTime(expiry.at)}) before the request window ends`,
      'Make --expires-at later than the window.',
    );
  }
  return { ...definition, name };
}

/** Which fields of two definitions differ, as text, for "already seeded with other values". Empty when they agree. */
export function definitionDifferences(
  stored: CouponDefinition,
  wanted: CouponDefinition,
): { field: string; stored: string; wanted: string }[] {
  const a = describe(stored);
  const b = describe(wanted);
  return Object.keys(a)
    .map((field) => ({ field, stored: a[field]!, wanted: b[field]! }))
    .filter((row) => row.stored !== row.wanted);
}

function describe(definition: CouponDefinition): Record<string, string> {
  const { expiry } = definition;
  return {
    name: definition.name,
    stock: String(definition.total),
    'opens-at': isoTime(definition.opensAt) || '(always)',
    'closes-at': isoTime(definition.closesAt) || '(never)',
    expiry: expiry.kind === 'never' ? '(never)' : expiry.kind === 'at' ? isoTime(expiry.at) : `${durationFlag(expiry.ms)} after issue`,
  };
}

/** ISO 8601, UTC, milliseconds; the empty string for "none", as the Redis hashes have it. */
export function isoTime(date: Date | null): string {
  return date ? date.toISOString() : '';
}

/** Request times are later than this (2001) and earlier than that (2100), in microseconds: anything else is no time. */
const FIRST_US = 978_307_200e6;
const LAST_US = 4_102_444_800e6;

/** One unit that a score may be written in: which scores it has, and what makes microseconds of them. */
const UNITS = [
  { name: 'seconds', below: 1e11, toMicros: (score: number) => score * 1e6 },
  { name: 'milliseconds', below: 1e14, toMicros: (score: number) => score * 1e3 },
  { name: 'microseconds', below: 1e17, toMicros: (score: number) => score },
  { name: 'nanoseconds', below: Number.POSITIVE_INFINITY, toMicros: (score: number) => score / 1e3 },
] as const;

/**
 * Microseconds since 1970 of a number, by its size: seconds, milliseconds, microseconds or nanoseconds. Any number gets one; for
 * the score of a queue see {@link scoreToMicros}.
 */
export function microsBySize(value: number): number {
  return Math.round(unitBySize(value).toMicros(value));
}

function unitBySize(value: number): (typeof UNITS)[number] {
  return UNITS.find(({ below }) => value < below) ?? UNITS[3];
}

export type ScoreUnit = (typeof UNITS)[number]['name'];

/** The unit that a score is written in, if it is a time at all. */
export function unitOfScore(score: number): ScoreUnit {
  return unitBySize(score).name;
}

/**
 * Request time of a queue score in microseconds since 1970. Ours are microseconds; other services write seconds, milliseconds or
 * nanoseconds. Null: the score is no time (infinite, zero, negative, before 2001 or from 2100 on). `stores/redis/lua/drain/claim.lua` reads likewise.
 */
export function scoreToMicros(score: number): number | null {
  const micros = microsBySize(score);
  return micros >= FIRST_US && micros < LAST_US ? micros : null;
}

/** The ranges of scores that are times, one for each unit, and what makes microseconds of them. */
export const TIME_RANGES = [
  { from: FIRST_US / 1e6, below: LAST_US / 1e6 },
  { from: FIRST_US / 1e3, below: LAST_US / 1e3 },
  { from: FIRST_US, below: LAST_US },
  { from: FIRST_US * 1e3, below: LAST_US * 1e3 },
] as const;

/** Milliseconds precision; null: the score is no time. See {@link scoreToMicros}. */
export function scoreToDate(score: number): Date | null {
  const micros = scoreToMicros(score);
  return micros === null ? null : new Date(Math.floor(micros / 1_000));
}

/** ISO 8601 of a score; null: it is no time. */
export function scoreToIso(score: number): string | null {
  return scoreToDate(score)?.toISOString() ?? null;
}

/** Null for a number of milliseconds that no date has. */
export function isoOrNull(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
