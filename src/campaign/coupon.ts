import { durationFlag } from '../lib/duration.ts';
import { usageError } from '../lib/errors.ts';
import { isVisible, visible } from '../lib/visible.ts';

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

/** A request that was accepted and leased to a worker. `score` is the request time as it stands in Redis. */
export interface Claim {
  userId: string;
  /** Request time: microseconds for our own, anything for a foreign member (see {@link scoreToMicros}). */
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

/**
 * Microseconds since 1970 of a queue score. Ours are microseconds; other services that write the queue use seconds, milliseconds or
 * nanoseconds: below 1e11 is seconds (the year 5138), below 1e14 milliseconds, from 1e17 nanoseconds.
 */
export function scoreToMicros(score: number): number {
  if (score < 1e11) return Math.round(score * 1e6);
  if (score < 1e14) return Math.round(score * 1e3);
  return Math.round(score < 1e17 ? score : score / 1e3);
}

/** Milliseconds precision; see {@link scoreToMicros}. */
export function scoreToDate(score: number): Date {
  return new Date(Math.floor(scoreToMicros(score) / 1_000));
}

/** ISO 8601 of a score, or null: another service may have written any number, and not each is a time. */
export function scoreToIso(score: number): string | null {
  return isoOrNull(Math.floor(scoreToMicros(score) / 1_000));
}

/** Null for a number of milliseconds that no date has. */
export function isoOrNull(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
