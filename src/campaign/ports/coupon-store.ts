/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { CouponDefinition } from '../coupon.ts';
import type { LedgerCoupon } from './ledger.ts';

/** `acked`: the highest claim number that the ledger is known to have reached, see `campaign/verify-coupon.ts`. */
export type VerifyResult = { status: 'ok'; acked: number } | { status: 'gone' } | { status: 'suspect'; reason: string };

/** Marks a coupon as checked against the ledger for the server that now runs, or as suspect. */
export interface Verification {
  verify(couponId: string, ledger: Pick<LedgerCoupon, 'epoch' | 'maxFence' | 'version'>): Promise<VerifyResult>;
  markSuspect(couponId: string, epoch: string, reason: string): Promise<void>;
}

export type SeedResult = 'created' | 'exists' | 'foreign' | 'leftovers';

/** What a seeding would meet in Redis. `exists`: the coupon of this epoch, with what `verify.lua` would look at. */
export type SeedCheck =
  | { status: 'free' | 'foreign' | 'leftovers' }
  | { status: 'exists'; suspect: string; fence: number; version: number; counted: boolean; acked: number };

/** Sets coupons up and takes them away. */
export interface CouponStore {
  /** False: it was indexed already. */
  index(couponId: string): Promise<boolean>;
  unindex(couponId: string): Promise<void>;
  /**
   * What {@link seed} would do, with nothing changed.
   *
   * @param epoch of the ledger's coupon; null: it has none
   * @throws CouponError `REDIS_AUTH` when this user may not seed
   */
  checkSeed(couponId: string, epoch: string | null): Promise<SeedCheck>;
  seed(definition: CouponDefinition, life: { epoch: string; version: number }): Promise<SeedResult>;
  /** First step of a reset: closes admission and shuts out every worker of the old epoch. */
  retire(couponId: string, newEpoch: string): Promise<void>;
  /** Removes the issued hashes of these users. */
  dropIssued(couponId: string, userIds: readonly string[]): Promise<void>;
  /** Removes the issued hashes of everyone admitted, then all keys of the coupon, then its place in the index. */
  drop(couponId: string): Promise<void>;
  /** Ids of queues that exist in Redis, and keys of queues that a serializer spelled, found with SCAN. */
  scanQueues(): Promise<{ couponIds: string[]; serialised: string[] }>;
}

export interface UsePort {
  /** False: there is no issued hash for this user. */
  use(couponId: string, userId: string, usedAt: Date): Promise<boolean>;
}
