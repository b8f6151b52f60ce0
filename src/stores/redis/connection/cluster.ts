import { Cluster, Command, type ChainableCommander, type Redis } from 'ioredis';
import { CouponError } from '../../../lib/errors.ts';
import type { PartialOutage } from '../../../campaign/readiness/partial-outage.ts';
import type { NatMap, RedisConnection, RedisConnectionOptions } from './connection.ts';
import { redisError, redisWriteError } from './errors.ts';
import { infoField } from './role.ts';
import { defineScripts } from '../script.ts';
import { backoff, commonOptions, tooOld } from './server.ts';
import { parseRedisUrl } from './url.ts';

/** The servers of the slots are asked for again so often: a failover shows within this, also without a command that runs into it. */
const REFRESH_MS = 1_000;
const REFRESH_TIMEOUT_MS = 2_000;
/** MOVED, ASK and TRYAGAIN mean that a command was not run: it may be sent to another server. */
const MOST_REDIRECTIONS = 6;
const TRY_AGAIN_MS = 50;

/**
 * A Redis Cluster: each key has a server of its own, and all keys of a coupon the same. ioredis follows MOVED and ASK, which say that
 * nothing was run. It is told to send nothing again whose reply was lost, and to wait for no server that is away.
 */
export class ClusterServers implements RedisConnection {
  readonly url: string;
  readonly readOnly: boolean;
  readonly prefix: string;
  readonly isCluster = true;
  readonly #cluster: Cluster;
  readonly #natMap: NatMap;
  /** Where ioredis begins when every link is lost: the address of the URL, and the servers that were known last. */
  readonly #named: { host: string; port: number }[];
  /** Of each server that can be reached: the id of its process. */
  readonly #runs = new Map<Redis, string>();
  /** Not the interval of ioredis: one that is closed while it waits for an answer would set its timer again for ever. */
  readonly #refresh: NodeJS.Timeout;
  #lastError: unknown = null;
  #refused: CouponError | null = null;

  private constructor(options: RedisConnectionOptions) {
    this.url = options.url;
    this.readOnly = options.readOnly === true;
    this.prefix = options.keyPrefix ?? '';
    this.#natMap = options.natMap ?? {};
    const target = parseRedisUrl(options.url);
    const { host, port, tls, family } = target;
    this.#named = [{ host, port }];
    this.#cluster = new Cluster(this.#named, {
      lazyConnect: true,
      enableOfflineQueue: false,
      // A cluster that has lost some of its slots is no reason to leave the others alone: Redis refuses what it cannot serve.
      enableReadyCheck: false,
      scaleReads: 'master',
      maxRedirections: MOST_REDIRECTIONS,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnTryAgain: TRY_AGAIN_MS,
      slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
      clusterRetryStrategy: options.reconnect ? backoff : () => null,
      ...(this.prefix === '' ? {} : { keyPrefix: this.prefix }),
      ...(options.natMap ? { natMap: options.natMap } : {}),
      // A certificate names what the cluster calls its servers, and not what that resolves to.
      ...(tls ? { dnsLookup: (address: string, done: (error: null, address: string) => void) => done(null, address) } : {}),
      redisOptions: { ...commonOptions(target, options), family, ...(tls ? { tls: { rejectUnauthorized: true } } : {}) },
    });
    defineScripts(this.client);
    this.#cluster.on('+node', (server: Redis) => this.#watch(server));
    this.#cluster.on('-node', (server: Redis) => void this.#runs.delete(server));
    this.#cluster.on('refresh', () => {
      this.#meet();
      this.#note();
    });
    this.#cluster.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    this.#cluster.on('node error', (error: unknown) => {
      this.#lastError = error;
    });
    this.#refresh = setInterval(() => this.#ask(), REFRESH_MS);
    this.#cluster.on('end', () => clearInterval(this.#refresh));
  }

  #ask(): void {
    if (this.#cluster.status === 'ready') this.#cluster.refreshSlotsCache();
  }

  /** @throws as {@link openRedis} */
  static async open(options: RedisConnectionOptions): Promise<ClusterServers> {
    const connection = new ClusterServers(options);
    try {
      await connection.#cluster.connect();
      await Promise.all(connection.#cluster.nodes('master').map((server) => connection.#learn(server).catch(() => undefined)));
      if (connection.#refused) throw connection.#refused;
      return connection;
    } catch (error) {
      connection.close();
      throw redisError(connection.#lastError ?? error, options.url);
    }
  }

  get client(): Redis {
    // The same commands, without the streams over all keys, for which `servers` is there.
    return this.#cluster as unknown as Redis;
  }

  runOf(key: string): string {
    if (this.#refused) throw this.#refused;
    const server = this.serverOf(key);
    const run = this.#runs.get(server);
    if (run === undefined) throw this.#nodeDown(key);
    return run;
  }

  serverOf(key: string): Redis {
    const address = this.addressOf(key);
    const server = this.#cluster.nodes('master').find((one) => addressOf(one) === address);
    if (!server) throw this.#nodeDown(key);
    return server;
  }

  addressOf(key: string): string | null {
    const slot = new Command('type', [`${this.prefix}${key}`]).getSlot();
    return this.#cluster.slots[slot]?.[0] ?? null;
  }

  servers(): { client: Redis; address: string }[] {
    return this.#cluster.nodes('master').map((client) => ({ client, address: addressOf(client) }));
  }

  everyServer(): Redis[] {
    const servers = this.servers();
    const there = new Set(servers.map(({ address }) => address));
    const missing = this.#cluster.slots.map(([primary]) => primary).find((address) => address !== undefined && !there.has(address));
    if (missing !== undefined) throw nodeDown(`the server ${missing}`);
    return servers.map(({ client }) => client);
  }

  together(): ChainableCommander {
    return this.readOnly ? this.client.pipeline() : this.client.multi();
  }

  explain(error: unknown): CouponError {
    return this.#told(redisError(error, this.url));
  }

  explainWrite(error: unknown): CouponError {
    return this.#told(redisWriteError(error, this.url));
  }

  /** One server that is away is not the cluster. Others go on naming it as the holder of its slots. */
  #told(told: CouponError): CouponError {
    const holder = /(?:MOVED|ASK) \d+ (\S+)/.exec(told.why ?? '')?.[1];
    const isAway = holder !== undefined && !this.#isReady(holder);
    const isOne = told.code === 'REDIS_DOWN' && this.#runs.size > 0;
    return isAway || isOne || told.why?.startsWith('CLUSTERDOWN Hash slot not served') === true
      ? nodeDown(isAway ? `the server ${holder}` : 'the server of some coupons', told.why)
      : told;
  }

  #isReady(named: string): boolean {
    const own = this.#natMap[named];
    const address = own ? `${own.host}:${own.port}` : named;
    return this.#cluster.nodes('all').some((server) => server.status === 'ready' && addressOf(server) === address);
  }

  close(): void {
    clearInterval(this.#refresh);
    this.#cluster.disconnect();
  }

  #watch(server: Redis): void {
    server.on('close', () => void this.#runs.delete(server));
    server.on('ready', () => void this.#learn(server).catch(() => undefined));
  }

  /** Servers are joined as soon as they are known: whose data they hold must be known before anything is asked of them. */
  #meet(): void {
    for (const server of this.#cluster.nodes('master')) if (server.status === 'wait') server.connect().catch(() => undefined);
  }

  /** The server of the URL may be gone for good by the time that all links are lost. */
  #note(): void {
    const known = this.#cluster.nodes('all').map(({ options: { host, port } }) => ({ host: host!, port: port! }));
    if (known.length > 0) this.#named.splice(1, Infinity, ...known);
  }

  async #learn(server: Redis): Promise<void> {
    const info = await server.info('server').catch((error: Error) => {
      if (this.readOnly && error.message.startsWith('NOPERM')) return '';
      throw error;
    });
    if (!this.readOnly) this.#refused = tooOld(info);
    this.#runs.set(server, infoField(info, 'run_id'));
  }

  #nodeDown(key: string): CouponError {
    const address = this.addressOf(key);
    return nodeDown(`the server that holds ${this.prefix}${key}${address === null ? '' : ` (${address})`}`);
  }
}

function nodeDown(who: string, why?: string): CouponError {
  const code: PartialOutage = 'REDIS_NODE_DOWN';
  return new CouponError({
    code,
    kind: 'unreachable',
    message: `${who} in the Redis Cluster cannot be reached`,
    ...(why === undefined ? {} : { why }),
    fix: 'A replica takes over by itself after cluster-node-timeout, if there is one. Coupons on other servers are served meanwhile.',
  });
}

function addressOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
