/**
 * How a coupon that another service has begun comes into both stores. Texts of members and keys are those of `campaign/member.ts`.
 *
 * Every method may throw a CouponError of kind `unreachable`; after that the effect of a write is unknown, and all writes here may be
 * repeated.
 */
import type { Acknowledgement } from '../../campaign/ports/acknowledgement.ts';
import type { CouponDefinition } from '../../campaign/coupon.ts';
import type { LedgerCoupon, LedgerReader, LedgerRow, ProvenRow } from '../../campaign/ports/ledger.ts';
import type { WrongType } from '../../campaign/wrong-type.ts';
import type { ChangeDetails } from '../ports.ts';
import type { SourceKeys } from './source-keys.ts';

/** Names and values of a hash as text; bytes that are none, such as those of the JDK serializer, are escaped. */
export type Fields = Readonly<Record<string, string>>;

/** A key of an issued coupon. `fields` null: the key holds another type. */
export interface IssuedKey {
  key: string;
  userId: string;
  fields: Fields | null;
  type: string;
}

/** The other service's keys. Nothing here writes. */
export interface AdoptionSource {
  /** Milliseconds, of Redis. */
  now(): Promise<number>;
  /** Null: no such key. */
  hash(key: string): Promise<Fields | null>;
  /** Null: the key has this type, or is not there. */
  wrongType(key: string, expected: 'hash' | 'zset'): Promise<WrongType | null>;
  /** A queue that is written to meanwhile may give a member twice. */
  queue(key: string): AsyncIterable<readonly { member: string; score: number }[]>;
  issued(keys: SourceKeys): AsyncIterable<readonly IssuedKey[]>;
  /** Whether each of these users has an issued key that is a hash. */
  haveIssued(keys: SourceKeys, userIds: readonly string[]): Promise<boolean[]>;
  /** Keys that look like those of coupons and are none that this program reads. */
  foreignKeys(): AsyncIterable<readonly string[]>;
  /** What stands under the keys of this program. `records`: admissions, leases, claims or dead-lettered users. */
  own(couponId: string): Promise<{ hash: boolean; queue: boolean; records: boolean; epoch: string; suspect: string }>;
  /** How this program spells the keys of a coupon. */
  ownKeys(couponId: string): SourceKeys;
}

/** A user of the queue. `us`: request time in microseconds; null: the user has a coupon, and leaves the queue. */
export interface QueuedUser {
  member: string;
  userId: string;
  us: number | null;
}

/**
 * `field`: where the service counts, in the same hash, and `by` what that is corrected by; null: the stock is what the users leave of the
 * total.
 */
export interface FinalStock {
  field: string | null;
  by: number;
}

/** `done`: the same command has finished the adoption elsewhere. What the other words mean is in the scripts. */
export interface AdoptionStore extends Acknowledgement {
  index(couponId: string): Promise<boolean>;
  bind(
    coupon: LedgerCoupon,
    found: string,
    reached: { fence: number; lastUs: number },
    suspect: 'adopting',
  ): Promise<'bound' | 'changed' | 'done'>;
  takeOver(couponId: string, epoch: string, users: readonly QueuedUser[]): Promise<'ok' | 'epoch' | 'done'>;
  /** Admissions of users who have rows. */
  adopt(couponId: string, epoch: string, users: readonly { userId: string; requestedUs: number | null }[]): Promise<number>;
  rehash(couponId: string, epoch: string, users: readonly { row: LedgerRow; seenUsedAt: string }[]): Promise<number>;
  finishAdoption(coupon: LedgerCoupon, stock: FinalStock): Promise<'ok' | 'done' | 'epoch' | 'stock'>;
}

export interface AdoptionLedger extends Pick<LedgerReader, 'coupon' | 'rows'> {
  /** The row as it stands afterwards: the new one, in state `adopting`, or the one that was there. */
  startAdopting(definition: CouponDefinition, adoption: Adoption): Promise<LedgerCoupon>;
  /** `guarded`: they would pass the total, so none of them was written. */
  restoreRows(couponId: string, epoch: string, rows: readonly ProvenRow[], by: 'adopt'): Promise<'ok' | 'epoch' | 'guarded'>;
  finishAdopting(couponId: string, epoch: string): Promise<void>;
}

export interface Adoption {
  opId: string;
  epoch: string;
  keyStyle: string;
  /** See `LedgerCoupon.sharedStockField`. */
  sharedStockField: string | null;
  saleState: SaleState;
  details: ChangeDetails;
  byWhom: string;
}

export type SaleState = 'open' | 'paused' | 'closed';
