/**
 * What the fault suite inflicts, and on what. A kind of fault knows how to break one thing and how to mend it again; the campaign
 * around it (load, workers, oracle) knows nothing of kinds.
 */
import type { CouponStore } from '../../src/stores/redis/coupons.ts';
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import type { RedisReader } from '../../src/campaign/ports/redis-reader.ts';
import type { Verification } from '../../src/campaign/ports/verification.ts';
import type { Finished } from '../support/processes.ts';
import type { PgBouncer } from '../support/pgbouncer.ts';
import type { Sentinels } from '../support/sentinels.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { FaultPostgres } from './servers/postgres.ts';
import type { PostgresPair } from './servers/postgres-pair.ts';
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

/** How the stores of a campaign stand, and what can be done to them there. */
export interface Grounds {
  /** One server each. `serve` and every `drain` reach them through these links; the suite itself does not. */
  plain: { redis: FaultRedis; postgres: FaultPostgres; links: { redis: TcpProxy; postgres: TcpProxy } };
  /** PgBouncer in transaction mode between the program and PostgreSQL. */
  pooler: { pooler: PgBouncer };
  /** A primary with a replica and three sentinels; "accepted" means that the replica has it. */
  sentinel: { watched: Sentinels };
  /** The same, and "accepted" means the disk of the primary. */
  'sentinel-disk': { watched: Sentinels };
  /** A PostgreSQL with a synchronous standby. */
  standby: { pair: PostgresPair };
}

export type Ground = keyof Grounds;

/** Both stores, for a program that is to find them. */
export interface Addresses {
  redis: string;
  postgres: string;
}

/** A coupon under load, and how the suite gets at both stores: through adapters of the program that come back after every loss. */
export interface StoresUnderLoad {
  /** Of the stores themselves, without what stands between them and the program. */
  addresses: Addresses;
  couponId: string;
  reader: RedisReader;
  ledger: Ledger;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Where `serve` listens. */
  endpoint: string;
  /** Runs a command of the program to its end, on the stores themselves. */
  command(argv: readonly string[]): Promise<Finished>;
  /** A look that a fault wants to have once the campaign is drained, at coupons of its own. What it returns are broken promises. */
  afterwards(look: () => Promise<string[]>): void;
}

/** The same, with `serve` and several `drain` that can be struck. */
export interface RigOnAnyGround extends StoresUnderLoad {
  leaseMs: number;
  serve: Supervised;
  drains: readonly Supervised[];
  coupons: CouponStore & Verification;
}

export type Rig<G extends Ground = 'plain'> = RigOnAnyGround & Grounds[G];

interface AnyFault<G extends Ground> {
  /** Where it can happen. */
  on: G;
  /** Short and stable; docs/faults.md has a row for each. */
  kind: string;
  /** What a reader of the table should know, one line. */
  meaning: string;
  /** Why it cannot be tried on this machine; null: it can. What cannot be tried is reported as not run, never as passed. */
  unavailable(plain: Pick<Rig, 'redis' | 'postgres'>): string | null;
}

/** Destroys nothing that a store had acknowledged: all promises hold without anybody's help. */
export interface HarmlessFault<G extends Ground = 'plain'> extends AnyFault<G> {
  harmless: true;
  /** Breaks, waits as long as the fault lasts, and mends. Returns when whatever was broken runs again. */
  inflict(rig: Rig<G>, random: Random): Promise<void>;
}

/**
 * Destroys acknowledged data: the coupon must then be suspect wherever that can be seen, and agree again after `audit --repair`.
 *
 * In two steps, because what a blow destroys can only be counted while nobody is admitted: the campaign goes on during `prepare`, then
 * the rig pauses `serve`, looks at the stores, strikes, looks again, and resumes. The workers run on, unless
 * the fault itself holds them until its blow.
 */
export interface DestructiveFault<G extends Ground = 'plain'> extends AnyFault<G> {
  harmless: false;
  /**
   * Sets the scene and lets the campaign go on until there is something to lose (a copy is old enough, a replica far enough behind).
   * Returns the blow. It may come seconds later; the scene keeps.
   */
  prepare(rig: Rig<G>, random: Random): Promise<Blow>;
}

/** Destroys, and mends whatever else was broken on the way. Returns when both stores run again. Struck once. */
export type Blow = () => Promise<void>;

/** A fault of any of the grounds. */
export type Fault = { [G in Ground]: HarmlessFault<G> | DestructiveFault<G> }[Ground];
