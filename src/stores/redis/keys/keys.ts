/**
 * Every key that the project reads or writes, and the only place that knows how they are spelled. The first three are the
 * interface to other services and must not change.
 *
 * Style `plain` is the format that other services already use. Style `hash-tag` puts the id in literal braces, so that Redis
 * Cluster hashes all keys of a coupon to one slot (cluster specification, "hash tags").
 */
import { usageError } from '../../../lib/errors.ts';

export const KEY_STYLES = ['plain', 'hash-tag'] as const;
export type KeyStyle = (typeof KEY_STYLES)[number];

/** Set of all seeded coupon ids. Never used inside a script: it has no coupon, so it would be in another slot. */
export const COUPON_INDEX = 'coupon_index';

/**
 * A prefix before every key keeps two environments in one Redis apart. The client puts it before the keys of commands and scripts; patterns
 * and keys inside arguments get it here.
 */
export function withPrefix(prefix: string, key: string): string {
  // The first bytes that a serializer writes come before all else.
  return key.replace(/^(\u00ac\u00ed|")?/, (first) => `${first}${prefix}`);
}

export function withoutPrefix(prefix: string, key: string): string {
  return key.startsWith(prefix) ? key.slice(prefix.length) : key;
}

/** @throws CouponError `BAD_KEY_PREFIX` for one that a pattern or a script could take for something else */
export function parseKeyPrefix(text: string, name = '--key-prefix'): string {
  if (/^[A-Za-z0-9:._-]{0,64}$/.test(text)) return text;
  throw usageError(
    'BAD_KEY_PREFIX',
    `${name}: "${text}" is no prefix of keys`,
    'Use at most 64 letters, digits, ":", ".", "_" and "-", such as staging:',
  );
}

export interface CouponKeys {
  /** hash: the coupon itself */
  coupon: string;
  /** sorted set: user → request time */
  queue: string;
  /** hash: user → `score:requestId`, for everyone ever accepted */
  admitted: string;
  /** sorted set: user → lease deadline (ms) */
  leases: string;
  /** hash: user → reason, dead-lettered */
  dead: string;
  /** hash: user → claim record */
  claims: string;
  /** string: epoch of the life in which these users were accepted. Apart from the coupon, whose hash another program may rewrite */
  life: string;
  /** hash of one user's issued coupon */
  issued(userId: string): string;
}

/** What each key of a coupon is, but for the issued ones, which are hashes, and the life, which SET makes a string of whatever it was. */
export const KEY_TYPES = {
  coupon: 'hash',
  queue: 'zset',
  admitted: 'hash',
  leases: 'zset',
  dead: 'hash',
  claims: 'hash',
} as const satisfies Record<Exclude<keyof CouponKeys, 'issued' | 'life'>, 'hash' | 'zset'>;

export function couponKeys(couponId: string, style: KeyStyle): CouponKeys {
  const id = style === 'hash-tag' ? `{${couponId}}` : couponId;
  return {
    coupon: `coupon:${id}`,
    queue: `coupon_waiting_queue:${id}`,
    admitted: `coupon_admitted:${id}`,
    leases: `coupon_leases:${id}`,
    dead: `coupon_dead:${id}`,
    claims: `coupon_claims:${id}`,
    life: `coupon_life:${id}`,
    issued: (userId) => `issued_coupon:coupon:${id}-user:${userId}`,
  };
}

/** What SCAN looks for, and what a found key says. Ids may contain `-user:` only in theory; the first one separates. */
export function issuedPattern(couponId: string, style: KeyStyle): string {
  // Glob characters cannot occur in a coupon id; braces are literal in Redis globs.
  return couponKeys(couponId, style).issued('*');
}

export function userOfIssuedKey(key: string, couponId: string, style: KeyStyle): string {
  return key.slice(couponKeys(couponId, style).issued('').length);
}

/** What SCAN looks for to find all keys in the three formats that other services know. */
export const ANY_COUPON_PATTERN = '*coupon*';

/** The coupon id of such a key, or null if it is none, or written in the other style. */
export function couponOfKey(key: string, style: KeyStyle): string | null {
  const id = /^issued_coupon:coupon:([^]+?)-user:/.exec(key)?.[1] ?? /^(?:coupon|coupon_waiting_queue):([^]+)$/.exec(key)?.[1];
  return id === undefined ? null : inStyle(id, style);
}

export const QUEUE_PATTERN = 'coupon_waiting_queue:*';

/** First bytes of a serialised Java object, as characters of Latin-1. */
const JDK = '\u00ac\u00ed';
/** A key of a queue that a JSON or JDK serializer spelled, in Latin-1. */
export const SERIALISED_QUEUE_PATTERNS = [`${JDK}*coupon_waiting_queue:*`, '"coupon_waiting_queue:*'] as const;

/**
 * Keys that another program may take for ours: spelled by a serializer, or with the prefix of the issued ones and otherwise their
 * own, such as the sets of Spring Data (`issued_coupon`, `issued_coupon:userId:7`). In Latin-1.
 */
export const FOREIGN_PATTERNS = [
  `${JDK}*coupon*`,
  '"*coupon*',
  'issued_coupon',
  'issued_coupon:[^c]*',
  'issued_coupon:coupon[^:]*',
] as const;

/** Whether a key that was found under one of these patterns has anything to do with coupons. */
export function isForeignKey(key: string): boolean {
  return /(^|[^a-z_])(issued_coupon|coupon_waiting_queue|coupon_admitted|coupon_leases|coupon_dead|coupon_claims|coupon_life|coupon_index|coupon:)/.test(
    key,
  );
}

/** The coupon id of a queue key found by SCAN, or null if it is written in the other style. */
export function couponOfQueueKey(key: string, style: KeyStyle): string | null {
  const id = key.slice(QUEUE_PATTERN.length - 1);
  return inStyle(id, style);
}

function inStyle(id: string, style: KeyStyle): string | null {
  const tagged = /^\{(.+)\}$/.exec(id);
  if (style === 'hash-tag') return tagged?.[1] ?? null;
  return tagged ? null : id;
}
