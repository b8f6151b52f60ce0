/** Reads of Redis that several features share. Every method may throw a CouponError of kind `unreachable`. */
import type { WrongType } from '../wrong-type.ts';

/** One coupon as it is in Redis, all fields from one instant. */
export interface RedisCoupon {
  couponId: string;
  name: string;
  total: number | null;
  stock: number | null;
  returned: number;
  /** Of these, what revocations have put back into the stock. */
  givenBack: number;
  state: string;
  suspect: string;
  /** Fields of numbers that are none, because another program wrote them. Left out: none. */
  unreadableNumbers?: readonly string[];
  epoch: string;
  version: number;
  opensAt: string;
  closesAt: string;
  expiresAt: string;
  validFor: string;
  fence: number;
  /** The highest fence that was ever acknowledged, which is only done after the ledger committed it. */
  acked: number;
  /** How many users were ever accepted. */
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

/** Users whom one claim of a worker holds. */
export interface Lease {
  /** Empty: another program leased them, and left no record. */
  worker: string;
  fence: number | null;
  users: number;
  /** Milliseconds since 1970. */
  deadlineMs: number;
}

export type UserSource = 'admitted' | 'waiting' | 'leases' | 'claims' | 'dead';

/**
 * User ids are texts as `campaign/member.ts` makes them, also those that are no user ids.
 *
 * Every method about one coupon may throw a WrongTypeError.
 */
export interface RedisReader {
  /** `host:port` of the server of a cluster that holds this coupon now; null: there is only one server. */
  serverOf(couponId: string): string | null;
  /** @param stockField where a hash that another program wrote has its stock; left out: where this program has it */
  coupon(couponId: string, stockField?: string | null): Promise<RedisCoupon | null>;
  indexed(): Promise<string[]>;
  /** By position, oldest first. */
  queue(couponId: string, offset: number, limit: number): Promise<QueueEntry[]>;
  users(couponId: string, userIds: readonly string[]): Promise<RedisUser[]>;
  user(couponId: string, userId: string): Promise<RedisUser>;
  queueTimes(couponId: string, nowMs: number): Promise<QueueTimes>;
  /** Of the claims that end first, at most `limit`. */
  leases(couponId: string, limit: number): Promise<Lease[]>;
  /** Number of keys of any kind; null: this user may not ask. */
  keyCount(): Promise<number | null>;
  /** Redis TIME, milliseconds. */
  now(): Promise<number>;
  /** User ids in chunks of about a thousand; an id may come more than once, as SCAN allows. */
  walk(couponId: string, source: UserSource): AsyncIterable<readonly string[]>;
  /** User ids of issued keys of any type, found by walking the whole keyspace. */
  scanIssued(couponId: string, only?: 'hashes'): AsyncIterable<readonly string[]>;
}
