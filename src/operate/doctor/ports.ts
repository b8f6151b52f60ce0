/** What `doctor` has found out, before it is judged. Null: this user may not ask, or the server does not tell. */
import type { RedisDurability } from '../../campaign/ports/health.ts';
import type { DatabaseWeakness } from '../../campaign/readiness/weaknesses.ts';
import type { CouponError } from '../../lib/errors.ts';

/** Of several questions in a row. */
export interface Trip {
  medianMs: number;
  worstMs: number;
  /** How far the clock there is ahead of ours, and how exactly that is known. */
  aheadMs: number;
  exactToMs: number;
}

export interface RedisMemory {
  used: number;
  /** 0: none is set. */
  limit: number;
  /** Resident memory, and that of the whole machine. */
  resident: number;
  machine: number;
}

export interface RedisServer {
  /** Null: there is only one. */
  address: string | null;
  version: string | null;
  role: 'primary' | 'replica' | null;
  replicas: { connected: number; online: number } | null;
  durability: RedisDurability;
  /** Why Redis would refuse writes now, in its own words; empty: it would not. */
  failedWrites: string[] | null;
  memory: RedisMemory | null;
  clients: { connected: number; most: number } | null;
  trip: Trip | null;
}

export interface RedisFacts {
  isCluster: boolean;
  servers: RedisServer[];
  bytesPerUser: BytesPerUser;
}

export interface BytesPerUser {
  /** While a user waits and once the coupon is issued, at the worst both. */
  bytes: number;
  from: 'sample' | 'probe' | 'figure';
  /** What was measured, in words. */
  detail: string;
}

export interface PostgresFacts {
  version: number;
  standby: boolean;
  readOnly: boolean;
  weaknesses: DatabaseWeakness[];
  pooled: boolean;
  /** Applied and newest version of the tables. */
  schema: { applied: number; newest: number } | null;
  connections: { used: number; most: number };
  trip: Trip;
}

export interface MachineFacts {
  /** Infinity: no limit. */
  openFiles: number | null;
}

/** A store that could not be looked at. */
export interface Unreached {
  error: CouponError;
}

export interface Facts {
  redis: RedisFacts | Unreached;
  postgres: PostgresFacts | Unreached;
  machine: MachineFacts;
}
