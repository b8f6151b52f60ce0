/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { WrongType } from '../wrong-type.ts';
import type { LedgerBrief } from './ledger.ts';

/** One coupon as it stands in Redis, all fields from one instant. */
export interface RedisCoupon {
  couponId: string;
  name: string;
  total: number | null;
  stock: number | null;
  returned: number;
  state: string;
  suspect: string;
  epoch: string;
  version: number;
  opensAt: string;
  closesAt: string;
  expiresAt: string;
  validFor: string;
  fence: number;
  /** The highest claim number that the ledger is known to have reached. */
  acked: number;
  admitted: number;
  waiting: number;
  claimed: number;
  dead: number;
}

/** A clock that is a little ahead writes no future worth a word. */
export const AHEAD_MS = 60_000;

/** What the scores of a queue say. */
export interface QueueTimes {
  /** Microseconds; the earliest that is a time, in whatever unit. Null: there is none. It may lie in the future. */
  oldestUs: number | null;
  /** Users whose score is no time. */
  timeless: number;
  /** Users whose request time lies in the future. */
  future: number;
}

export interface QueueEntry {
  userId: string;
  score: number;
  position: number;
}

/** Everything that Redis knows about one user of a coupon. */
export interface RedisUser {
  userId: string;
  /** `score:requestId` split; null: never admitted. */
  admitted: { score: number; requestId: string } | null;
  waiting: number | null;
  /** Place in the queue, from 0; null when not waiting or not asked for. */
  position: number | null;
  leaseDeadlineMs: number | null;
  claim: { fence: number; worker: string; score: number; leaseMs: number; deliveries: number; faults: number } | null;
  dead: string | null;
  /** Fields of the issued hash, as they stand; null: no such hash. */
  issued: Record<string, string> | null;
  /** The issued key, where it holds another type than a hash; null: it does not. */
  occupied: WrongType | null;
}

/** Ledger rows compared with Redis, see `compare-rows.lua`. */
export interface RowComparison {
  /** Users about whom it says something else, or something more. */
  differing: string[];
  /** Of the others, those that another service had put into the queue. */
  adopted: string[];
}

export type UserSource = 'admitted' | 'waiting' | 'leases' | 'claims' | 'dead';

/**
 * Reads for inspect, audit and the HTTP status route. Nothing here writes, or walks the whole keyspace (but the two `scan`s). User ids
 * are texts as `campaign/member.ts` makes them, also those that are no user ids.
 *
 * Every method about one coupon may throw a WrongTypeError.
 */
export interface RedisReader {
  coupon(couponId: string): Promise<RedisCoupon | null>;
  indexed(): Promise<string[]>;
  /** By position, oldest first. */
  queue(couponId: string, offset: number, limit: number): Promise<QueueEntry[]>;
  users(couponId: string, userIds: readonly string[]): Promise<RedisUser[]>;
  user(couponId: string, userId: string): Promise<RedisUser>;
  /** Holds rows against what Redis knows, for a small part of the cost of reading both in full. */
  compareRows(couponId: string, rows: readonly LedgerBrief[]): Promise<RowComparison>;
  /** User ids in chunks of about a thousand; an id may come more than once, as SCAN allows. */
  walk(couponId: string, source: UserSource): AsyncIterable<readonly string[]>;
  /** Number of keys of any kind; null: this user may not ask. */
  keyCount(): Promise<number | null>;
  /** Ids of coupons that have a key in one of the three formats, found by walking the whole keyspace. */
  scanCoupons(): Promise<string[]>;
  queueTimes(couponId: string, nowMs: number): Promise<QueueTimes>;
  /** User ids of issued keys of any type, found by walking the whole keyspace. */
  scanIssued(couponId: string, only?: 'hashes'): AsyncIterable<readonly string[]>;
  /** How the issued key of a user is spelled. */
  issuedKey(couponId: string, userId: string): string;
  /** Keys that look like ours and are not, such as those of a serializer, found by walking the whole keyspace. */
  scanForeign(): AsyncIterable<readonly string[]>;
  /** Redis TIME, milliseconds. */
  now(): Promise<number>;
}
