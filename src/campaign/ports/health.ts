/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { LedgerCondition, RedisCondition } from '../readiness/readiness.ts';

/** What probes and metrics ask of Redis itself. */
export interface RedisHealth {
  /** Whether accepting, claiming and acknowledging would work now. Never throws: a failure is an answer. */
  condition(): Promise<RedisCondition>;
  /** Whether what Redis answered has reached its disk; null: this user may not ask. @throws CouponError of kind `unreachable` */
  fsyncAlways(): Promise<boolean | null>;
  /** What an answer of each server survives; null where this user may not ask. @throws CouponError of kind `unreachable` */
  durability(): Promise<RedisDurability[]>;
}

export interface RedisDurability {
  /** Null: there is only one server. */
  address: string | null;
  /** `noeviction`, or which keys go first when the memory is full. */
  evictionPolicy: string | null;
  appendOnly: boolean | null;
  /** `always`, `everysec` or `no`. */
  fsync: string | null;
}

/** What probes ask of the ledger's database. */
export interface LedgerHealth {
  /** Whether issuing would work now. Never throws: a failure is an answer. */
  condition(): Promise<LedgerCondition>;
}
