/**
 * How sessions with PostgreSQL are made: which of several hosts, with or without TLS, straight or through a pooler.
 *
 * Straight, what every session needs goes with its start. A pooler that lends a server connection for one transaction (PgBouncer, RDS Proxy,
 * Supavisor, pgcat) refuses or forgets that, and forgets prepared statements; there, the same goes into each transaction, and statements have
 * no names. It is recognised by itself: the process id that a session was told is not the one that answers it.
 */
import pg from 'pg';
import type { PoolClient } from 'pg';
import { withTimeout } from '../../../lib/with-timeout.ts';
import { cutOff, LedgerClient } from './client.ts';
import { passwordMissing } from './errors.ts';
import { fitsRole, notSuch } from '../roles.ts';
import type { PgTarget } from './url.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that hangs says no farewell. */
const CLOSE_MS = 2_000;
/** Connections that one process opens at most. */
export const POOL_SIZE = 10;

/** What holds for every statement of a session. */
export interface SessionSettings {
  statementTimeoutMs: number;
  /** How much longer than the server we wait: over a link that went silent, what it says never arrives. */
  silenceMs: number;
  idleInTransactionMs: number;
  readOnly: boolean;
  /** Names and values of settings, such as `enable_seqscan` and `off`. */
  set: Readonly<Record<string, string>>;
}

/** Of every transaction, whatever the database or the environment has as a default: a batch that waited for another sees what that wrote. */
const ISOLATION = { default_transaction_isolation: 'read committed' };

/** Thrown inside to take the next way; it reaches nobody. */
class OtherWay extends Error {}

export class Sessions {
  readonly #target: PgTarget;
  readonly #settings: SessionSettings;
  readonly #pool: pg.Pool;
  readonly #clients = new Set<PoolClient>();
  /** Milliseconds that a statement may take, in sessions where that is another time than at their start. */
  readonly #limits = new WeakMap<PoolClient, number>();
  /** Positions in the lists of the target. */
  #host = 0;
  #tls = 0;
  #pooled: boolean;
  /** Whether it is known that nothing stands between. */
  #straight = false;

  constructor(target: PgTarget, settings: SessionSettings, poolSize = POOL_SIZE) {
    this.#target = target;
    this.#settings = settings;
    this.#pooled = target.pooled;
    this.#pool = new pg.Pool(this.#config(poolSize));
    this.#pool.on('connect', (client) => this.#clients.add(client));
    this.#pool.on('remove', (client) => this.#clients.delete(client));
    // Without a listener the loss of an idle connection ends the process; the next query reports the loss by itself.
    this.#pool.on('error', () => undefined);
  }

  /** Whether transactions must bring their settings along. */
  get pooled(): boolean {
    return this.#pooled;
  }

  /** How a transaction begins. */
  begin(timeoutMs?: number): string {
    const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED';
    const limit = timeoutMs === undefined ? undefined : limitOf(timeoutMs);
    if (!this.#pooled) return limit === undefined ? begin : `${begin}; SET LOCAL statement_timeout = ${limit}`;
    const { statementTimeoutMs, idleInTransactionMs, readOnly, set } = this.#settings;
    const all = {
      statement_timeout: String(limit ?? statementTimeoutMs),
      idle_in_transaction_session_timeout: String(idleInTransactionMs),
      ...set,
      ...this.#target.settings,
    };
    const local = Object.entries(all).map(([name, value]) => `SET LOCAL ${name} = ${name === 'search_path' ? value : quoted(value)}`);
    return [`${begin}${readOnly ? ' READ ONLY' : ''}`, ...local].join('; ');
  }

  /** @param timeoutMs that each statement may take; through a pooler a transaction must say it */
  async connect(timeoutMs = this.#settings.statementTimeoutMs): Promise<PoolClient> {
    const { hosts, tls } = this.#target;
    // Each way once: the hosts, with and without TLS, straight and pooled.
    for (let left = hosts.length * tls.length + 1; ; left -= 1) {
      try {
        const client = await this.#pool.connect();
        await this.#limit(client, limitOf(timeoutMs));
        return client;
      } catch (error) {
        if (left === 0 || !(error instanceof OtherWay || this.#otherWay(error))) throw error;
      }
    }
  }

  /** A round trip only where the session had another limit before. */
  async #limit(client: PoolClient, limit: number): Promise<void> {
    if (this.#pooled || (this.#limits.get(client) ?? this.#settings.statementTimeoutMs) === limit) return;
    try {
      await client.query(`SET statement_timeout = ${limit}`);
      this.#limits.set(client, limit);
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Politely, or by cutting the connections where a server does not answer any more. */
  async close(): Promise<void> {
    const ended = this.#pool.end().then(() => true);
    if (await withTimeout(ended, CLOSE_MS, false)) return;
    for (const client of this.#clients) cutOff(client);
  }

  #config(poolSize: number): pg.PoolConfig {
    const { user, password, database, sslnegotiation, channelBinding, keepAlive, keepAliveDelayMs } = this.#target;
    const { statementTimeoutMs, silenceMs } = this.#settings;
    return {
      Client: LedgerClient,
      user,
      // Asked for only where the server wants one.
      password: password ?? (() => Promise.reject(passwordMissing(this.#target))),
      database,
      sslnegotiation,
      enableChannelBinding: channelBinding !== 'disable',
      max: poolSize,
      connectionTimeoutMillis: this.#target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      query_timeout: statementTimeoutMs + silenceMs,
      keepAlive,
      ...(keepAliveDelayMs === null ? {} : { keepAliveInitialDelayMillis: keepAliveDelayMs }),
      application_name: this.#target.applicationName,
      allowExitOnIdle: true,
      verify: (client, done) => void this.#verify(client as unknown as LedgerClient).then(() => done(), done),
      ...this.#way(),
    };
  }

  /** The part of the configuration that depends on the way. */
  #way(): pg.PoolConfig & { forgetsStatements: boolean; channelBindingRequired: boolean } {
    const { hosts, tls, channelBinding, settings } = this.#target;
    const { statementTimeoutMs, idleInTransactionMs, readOnly, set } = this.#settings;
    const { host, port } = hosts[this.#host]!;
    // libpq: nothing is encrypted on a socket, whatever the mode says.
    const way = {
      host,
      port,
      ssl: host.startsWith('/') ? false : tls[this.#tls]!,
      forgetsStatements: this.#pooled,
      channelBindingRequired: channelBinding === 'require',
    };
    if (this.#pooled) return { ...way, statement_timeout: 0, idle_in_transaction_session_timeout: 0, options: '' };
    const all = { ...set, ...settings, ...ISOLATION, ...(readOnly ? { default_transaction_read_only: 'on' } : {}) };
    return {
      ...way,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      options: Object.entries(all)
        .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, String.raw`\$&`)}`)
        .join(' '),
    };
  }

  #take(way: { host?: number; tls?: number; pooled?: boolean }): true {
    this.#host = way.host ?? this.#host;
    this.#tls = way.tls ?? this.#tls;
    this.#pooled = way.pooled ?? this.#pooled;
    Object.assign(this.#pool.options, this.#way());
    return true;
  }

  /** Whether a failure means that another way is to be taken, and takes it. */
  #otherWay(error: unknown): boolean {
    const { hosts, tls } = this.#target;
    const { code = '', message = '' } = (error instanceof AggregateError ? error.errors[0] : error) as { code?: string; message?: string };
    // PgBouncer says so under 08P01, before it looks at the login.
    if (!this.#pooled && /unsupported startup parameter/.test(message)) return this.#take({ pooled: true });
    const refusedTls = message === 'The server does not support SSL connections' || /no encryption|SSL (on|off)/.test(message);
    if (refusedTls && this.#tls + 1 < tls.length) return this.#take({ tls: this.#tls + 1 });
    const away = !/^(?=.*\d)[0-9A-Z]{5}$/.test(code) || /^(08|53|57)/.test(code) || code === 'PG_ROLE';
    if (away && hosts.length > 1) return this.#take({ host: (this.#host + 1) % hosts.length, tls: 0 });
    return false;
  }

  /** Looks at a new session: is somebody in between, and is the server what was asked for? */
  async #verify(client: LedgerClient): Promise<void> {
    const { role, hosts } = this.#target;
    const asks = role !== 'any' && (role !== 'prefer-standby' || hosts.length > 1);
    if (this.#straight && !asks) return;
    if (this.#pooled && !asks) return;
    const { rows } = await client.query<{ pid: number; standby: boolean; read_only: boolean }>(
      "SELECT pg_backend_pid() AS pid, pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only",
    );
    const [found] = rows;
    if (!this.#pooled && found!.pid !== client.processId) {
      this.#take({ pooled: true });
      throw new OtherWay('through a pooler');
    }
    this.#straight = !this.#pooled;
    // Our own default is no property of the server.
    const readOnly = found!.standby || (found!.read_only && !this.#settings.readOnly);
    if (asks && !fitsRole(role, { standby: found!.standby, readOnly })) throw notSuch(role, this.#target.hosts[this.#host]!);
  }
}

/** PostgreSQL takes whole milliseconds, and 0 for no limit at all. */
function limitOf(timeoutMs: number): number {
  return Math.max(1, Math.floor(timeoutMs));
}

/** A text as SQL writes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
