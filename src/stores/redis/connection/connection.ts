import type { ChainableCommander, Redis } from 'ioredis';
import type { CouponError } from '../../../lib/errors.ts';

export interface RedisConnectionOptions {
  url: string;
  /** Long-lived processes come back after a loss; a command that runs once says so and ends. */
  reconnect: boolean;
  /** Milliseconds that one command may take before its answer counts as unknown. */
  commandTimeoutMs?: number;
  /** Nothing will be written: a user with `+@read` is enough (and `+select` where the database is not 0). */
  readOnly?: boolean;
  /** Before every key. */
  keyPrefix?: string;
  /** How the addresses that a cluster tells are reached from here. */
  natMap?: NatMap;
}

/** By `host:port` as the cluster says it. */
export type NatMap = Readonly<Record<string, { host: string; port: number }>>;

/** A link to Redis: one server, or a cluster, in which each key has a server of its own. No command is ever sent twice by itself. */
export interface RedisConnection {
  readonly url: string;
  /** Nothing may be written, and no script be run. */
  readonly readOnly: boolean;
  /** Before every key; the client puts it there by itself, but not in patterns and arguments. */
  readonly prefix: string;
  readonly isCluster: boolean;
  /** Finds the server of each key. */
  readonly client: Redis;
  /**
   * The run id of the server that holds this key now.
   *
   * @throws CouponError `REDIS_DOWN` while there is none, `REDIS_NODE_DOWN` when it is one of several
   */
  runOf(key: string): string;
  /** The server that holds this key now, on the link that commands on the key use. @throws as {@link runOf} */
  serverOf(key: string): Redis;
  /** `host:port` of the server that holds this key now, as far as that is known; null where there is only one. */
  addressOf(key: string): string | null;
  /** Every server with keys of its own that can be reached. */
  servers(): { client: Redis; address: string | null }[];
  /** Clients of all of them: what is to be found wherever it is (SCAN) is asked of each. @throws CouponError `REDIS_NODE_DOWN` */
  everyServer(): Redis[];
  /** Commands whose replies belong together: of one instant, unless the user may only read: MULTI is not allowed then. */
  together(): ChainableCommander;
  /** Translates what a command of this connection threw. */
  explain(error: unknown): CouponError;
  /** As {@link explain}, of a write: a lost reply is told apart from a command that was never sent. */
  explainWrite(error: unknown): CouponError;
  close(): void;
}
