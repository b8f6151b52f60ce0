/**
 * What the fault suite inflicts, and on what. A kind of fault knows how to break one thing and how to mend it again; the campaign
 * around it (load, workers, oracle) knows nothing of kinds.
 */
import type { CouponStore } from '../../src/stores/redis/coupons.ts';
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import type { RedisReader } from '../../src/campaign/ports/redis-reader.ts';
import type { Verification } from '../../src/campaign/ports/verification.ts';
import type { Finished } from '../support/processes.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { FaultPostgres } from './servers/postgres.ts';
import type { FaultRedis } from './servers/redis.ts';

/** Numbers from a seed: the same seed, the same faults at the same moments. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
}

/** A process of the program that is started again whenever it dies, as a supervisor would. */
export interface Supervised {
  readonly name: string;
  readonly pid: number | undefined;
  /** SIGKILL. Returns when its successor is up. */
  kill(): Promise<void>;
  /** SIGSTOP; SIGCONT. A stopped process is not dead, so nobody takes its place. */
  pause(): void;
  resume(): void;
}

/** One coupon under load: both stores, `serve`, several `drain`, and links that can be cut between them. */
export interface Rig {
  couponId: string;
  leaseMs: number;
  redis: FaultRedis;
  postgres: FaultPostgres;
  /** `serve` and every `drain` reach the stores through these; the suite itself does not. */
  links: { redis: TcpProxy; postgres: TcpProxy };
  serve: Supervised;
  drains: readonly Supervised[];
  /** Adapters of the program on the stores themselves; they come back after every loss. */
  reader: RedisReader;
  ledger: Ledger;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  coupons: CouponStore & Verification;
  /** Where `serve` listens. */
  endpoint: string;
  /** Runs a command of the program to its end, on the stores themselves. */
  command(argv: readonly string[]): Promise<Finished>;
  /** A look that a fault wants to have once the campaign is drained, at coupons of its own. What it returns are broken promises. */
  afterwards(look: () => Promise<string[]>): void;
}

interface AnyFault {
  /** Short and stable; docs/faults.md has a row for each. */
  kind: string;
  /** What a reader of the table should know, one line. */
  meaning: string;
  /** Why it cannot be tried on this machine; null: it can. What cannot be tried is reported as not run, never as passed. */
  unavailable(rig: Pick<Rig, 'redis' | 'postgres'>): string | null;
}

/** Destroys nothing that a store had acknowledged: all promises hold without anybody's help. */
export interface HarmlessFault extends AnyFault {
  harmless: true;
  /** Breaks, waits as long as the fault lasts, and mends. Returns when whatever was broken runs again. */
  inflict(rig: Rig, random: Random): Promise<void>;
}

/**
 * Destroys acknowledged data: the coupon must then be suspect wherever that can be seen, and agree again after `audit --repair`.
 *
 * In two steps, because what a blow destroys can only be counted while nobody is admitted: the campaign goes on during `prepare`, then
 * the rig pauses `serve`, looks at the stores, strikes, looks again, and resumes. The workers run on, unless
 * the fault itself holds them until its blow.
 */
export interface DestructiveFault extends AnyFault {
  harmless: false;
  /**
   * Sets the scene and lets the campaign go on until there is something to lose (a copy is old enough, a replica far enough behind).
   * Returns the blow. It may come seconds later; the scene keeps.
   */
  prepare(rig: Rig, random: Random): Promise<Blow>;
}

/** Destroys, and mends whatever else was broken on the way. Returns when both stores run again. Struck once. */
export type Blow = () => Promise<void>;

export type Fault = HarmlessFault | DestructiveFault;
