import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainableCommander, Redis, RedisOptions } from 'ioredis';
import { CouponError, isOutage } from '../../../lib/errors.ts';
import { DatabaseGate } from './database-gate.ts';
import type { RedisConnection, RedisConnectionOptions } from './connection.ts';
import { databaseRefused, redisError, redisWriteError, tlsNotSpoken, tlsSpoken } from './errors.ts';
import { refusalOf, speaksPlainly, speaksTls } from './speech.ts';
import { infoField, infoOf, isWritableReplica, watchRole } from './role.ts';
import { defineScripts } from '../script.ts';
import { backoff, commonOptions, isOfCluster, sentinelNamed, tooOld } from './server.ts';
import { sentinelFault } from './sentinel-fault.ts';
import { sentinelOptions, watchPrimary } from './sentinel.ts';
import { addressOf, parseRedisUrl, type RedisTarget } from './url.ts';

const LOADING_ASKED_EVERY_MS = 100;
/** A link that ended under our own first words, or before any reply. */
const HUNG_UP = /EPIPE|ECONNRESET|Connection is closed|connection was lost/i;

/** One connection to one server, and the id of the process behind it. */
export class SingleServer implements RedisConnection {
  readonly url: string;
  readonly readOnly: boolean;
  readonly prefix: string;
  readonly isCluster = false;
  /** One of several: it holds some of the keys alone. */
  isOfCluster = false;
  readonly #gate: DatabaseGate;
  readonly #target: RedisTarget;
  readonly #db: number;
  #learning: { link: Redis['stream']; done: Promise<void> } | null = null;
  #run: string | null = null;
  #lastError: unknown = null;
  #refused: CouponError | null = null;
  #lasts = false;
  #unwatch: (() => void)[] = [];

  private constructor(options: RedisConnectionOptions) {
    this.url = options.url;
    this.readOnly = options.readOnly === true;
    this.prefix = options.keyPrefix ?? '';
    const target = parseRedisUrl(options.url);
    const { database } = target;
    this.#target = target;
    this.#db = database;
    const settings: RedisOptions = {
      ...addressOptions(target, () => this.#lasts),
      ...commonOptions(target, options),
      lazyConnect: true,
      ...(this.prefix === '' ? {} : { keyPrefix: this.prefix }),
      enableOfflineQueue: false,
      // It asks with INFO, and tells stderr by itself of a user who may not. We ask INFO ourselves.
      enableReadyCheck: false,
      retryStrategy: options.reconnect ? backoff : () => null,
      // A primary that became a replica: the address may lead to the new one. 1: reconnect, and do not send the command again.
      reconnectOnError: (error) => (options.reconnect && error.message.startsWith('READONLY') ? 1 : false),
    };
    this.#gate = new DatabaseGate(settings, database);
    defineScripts(this.client);
    this.client.on('error', (error: unknown) => {
      this.#lastError = error;
      void this.#hear(error);
    });
    this.client.on('close', () => {
      // The next server may be another process with other data: nothing may be sent under the old id.
      this.#run = null;
    });
    this.client.on('ready', () => void this.#learnAgain());
  }

  /**
   * @throws CouponError `BAD_REDIS_URL`, `REDIS_DOWN`, `REDIS_AUTH`, `REDIS_DATABASE_REFUSED`, `REDIS_TOO_OLD`
   */
  static async open(options: RedisConnectionOptions): Promise<SingleServer> {
    const connection = new SingleServer(options);
    try {
      await Promise.race([connection.client.connect(), connection.#mistaken()]);
      await connection.#learnOnce();
      if (options.reconnect) connection.#stay();
      return connection;
    } catch (error) {
      connection.close();
      if (error instanceof CouponError) throw error;
      const told = redisError(connection.#lastError ?? error, options.url);
      const { tls, socket, sentinel, host, port } = connection.#target;
      const asked = sentinel === null ? null : await sentinelFault({ ...connection.#target, sentinel }, options.url);
      if (asked !== null) throw asked;
      // A TLS server hangs up on a plain command without a word.
      const hungUp = told.code === 'REDIS_DOWN' && !tls && socket === null && sentinel === null;
      const words = hungUp && HUNG_UP.test(told.why ?? '') ? await refusalOf(host, port) : null;
      if (words !== null) throw redisError(new Error(words), options.url);
      throw hungUp && (await speaksTls(host, port)) ? tlsSpoken(options.url) : told;
    }
  }

  runOf(): string {
    if (this.#refused) throw this.#refused;
    if (this.#run === null) throw redisError(this.#lastError ?? new Error('the connection was lost'), this.url);
    return this.#run;
  }

  get client(): Redis {
    return this.#gate;
  }

  serverOf(): Redis {
    return this.#gate;
  }

  addressOf(): null {
    return null;
  }

  servers(): { client: Redis; address: null }[] {
    return [{ client: this.#gate, address: null }];
  }

  together(): ChainableCommander {
    return this.readOnly ? this.client.pipeline() : this.client.multi();
  }

  everyServer(): Redis[] {
    return [this.#gate];
  }

  explain(error: unknown): CouponError {
    return redisError(error, this.url);
  }

  explainWrite(error: unknown): CouponError {
    return redisWriteError(error, this.url);
  }

  close(): void {
    for (const stop of this.#unwatch) stop();
    this.client.disconnect();
  }

  /** However the link ends, another one follows, until `close`. */
  #stay(): void {
    this.#lasts = true;
    const { sentinel } = this.#target;
    if (!this.readOnly) this.#unwatch.push(watchRole(this.#gate, () => this.#run !== null));
    if (sentinel !== null) this.#unwatch.push(watchPrimary(this.client, { ...this.#target, sentinel }));
    // ioredis makes no further try when a link is given up while its address is still being looked for.
    let timer: NodeJS.Timeout | undefined;
    const again = (): void => {
      timer = setTimeout(() => void this.client.connect().catch(() => undefined), backoff(1));
    };
    this.client.on('end', again);
    this.#unwatch.push(() => {
      clearTimeout(timer);
      this.client.off('end', again);
    });
  }

  /** Rejects when the server turns out to speak without TLS: that would only show as silence, until the time is up. Never resolves. */
  async #mistaken(): Promise<never> {
    const { tls, host, port, sentinel } = this.#target;
    if (tls && sentinel === null && (await speaksPlainly(host, port))) throw tlsNotSpoken(this.url);
    return await new Promise<never>(() => undefined);
  }

  /** Redis has said why it hangs up, and our own write met the end of the link first: its words are the better reason. */
  async #hear(error: unknown): Promise<void> {
    const { tls, socket, sentinel, host, port } = this.#target;
    if (tls || socket !== null || sentinel !== null || !(error instanceof Error) || !HUNG_UP.test(error.message)) return;
    const words = await refusalOf(host, port);
    if (words !== null && this.#lastError === error) this.#lastError = new Error(words);
  }

  /** Once the server has loaded its data. */
  async #info(): Promise<string> {
    try {
      for (;;) {
        const info = await infoOf(this.client, 'server', 'replication', 'persistence');
        if (infoField(info, 'loading') !== '1') return info;
        await sleep(LOADING_ASKED_EVERY_MS);
      }
    } catch (error) {
      if (this.readOnly && error instanceof Error && error.message.startsWith('NOPERM')) return '';
      throw error;
    }
  }

  /** Once for each link: `open` waits for the same answer as the link itself. */
  #learnOnce(): Promise<void> {
    const link = this.client.stream;
    if (this.#learning?.link !== link) this.#learning = { link, done: this.#learnServer() };
    return this.#learning.done;
  }

  async #learnAgain(): Promise<void> {
    const link = this.client.stream;
    try {
      await this.#learnOnce();
    } catch (error) {
      // The question itself was lost, or put at a bad time: only a new link asks it again.
      if (isOutage(this.explain(error)) && this.client.stream === link) this.client.disconnect(true);
    }
  }

  async #selectDatabase(): Promise<void> {
    try {
      await this.#gate.selectDatabase();
    } catch (error) {
      const refusal = databaseRefused(error, this.url, this.#db);
      if (refusal === null) throw error;
      this.#refused = refusal;
      this.#gate.refusal = () => databaseRefused(error, this.url, this.#db)!;
      throw refusal;
    }
  }

  async #learnServer(): Promise<void> {
    await this.#selectDatabase();
    const info = await this.#info();
    const field = (name: string): string => infoField(info, name);
    this.#gate.isWritableReplica = !this.readOnly && isWritableReplica(info);
    // The sentinels have not noticed yet; another link may lead to the new primary.
    if (this.#target.sentinel !== null && field('role') === 'slave') throw new Error('READONLY the sentinels still name a replica');
    this.isOfCluster = isOfCluster(info);
    this.#refused = sentinelNamed(info, addressOf(this.#target)) ?? (this.readOnly ? null : tooOld(info));
    if (this.#refused) throw this.#refused;
    this.#run = field('run_id');
  }
}

/** Where the link goes to. `default` would verify certificates anyway; spelled out because it is a promise. */
function addressOptions({ host, port, family, socket, sentinel, tls }: RedisTarget, lasts: () => boolean): RedisOptions {
  if (socket !== null) return { path: socket };
  if (sentinel !== null) return sentinelOptions({ sentinel, family, tls }, lasts);
  return { host, port, family, ...(tls ? { tls: { rejectUnauthorized: true } } : {}) };
}
