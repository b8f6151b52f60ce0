/** What another service keeps of its coupons, as far as `bench` reads it. Nothing here writes. */
import type { IssuedRow } from './issued-row.ts';

/** Its keys in Redis. */
export interface ForeignRedis {
  /** Which keys it has; `list`: one key names all issued users, so that they need not be looked for one by one. */
  readonly has: { coupon: boolean; queue: boolean; issued: boolean; list: boolean };
  /** Null: there is no such coupon. A field that is missing or no number is null. */
  coupon(couponId: string): Promise<{ total: number | null; stock: number | null } | null>;
  waiting(couponId: string): Promise<number>;
  /** How many users the list has; 0 without a list. @throws CouponError `FOREIGN_KEY_TYPE` */
  listed(couponId: string): Promise<number>;
  /** Users who wait, in chunks; an id may come more than once, as SCAN allows. */
  queue(couponId: string): AsyncIterable<string[]>;
  /** Those of these users who have an issued key. */
  issued(couponId: string, userIds: readonly string[]): Promise<string[]>;
  /** All users with an issued key, found by walking the whole keyspace, or the list where there is one. */
  scanIssued(couponId: string): AsyncIterable<string[]>;
}

/** Its list of issued coupons: a table, or an export. */
export interface IssuedList {
  /**
   * How many issued coupons the list has.
   *
   * @throws CouponError `EXPORT_MISSING` (unreachable) while there is no export yet
   */
  count(couponId: string): Promise<number>;
  /** All issued coupons, in chunks and in no order. */
  read(couponId: string, each: (rows: readonly IssuedRow[]) => void): Promise<void>;
}

/** What a scenario says is to be read. */
export interface ForeignStores {
  /** Null: the scenario names no keys. */
  redis: ForeignRedis | null;
  /** Null: the scenario names no list. */
  issued: IssuedList | null;
  /** What is left, by a query; null: the scenario has none. @throws CouponError `VERIFY_QUERY` when it gives no number */
  stock: ((couponId: string) => Promise<number>) | null;
}
