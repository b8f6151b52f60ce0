import pg from 'pg';
import type { PoolClient, QueryConfig } from 'pg';
import { withTimeout } from '../../lib/with-timeout.ts';
import { cutOff, LedgerClient } from './client.ts';
import { commitError, passwordMissing, pgAddress, pgError } from './errors.ts';
import { parseDatabaseUrl, type PgTarget, type Variables } from './url.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** No statement of ours takes longer on purpose; the drain sets a shorter one for its own transaction. */
const STATEMENT_TIMEOUT_MS = 60_000;
/** We wait so much longer than the server does: over a link that went silent, what the server says never arrives. */
const SILENCE_MS = 2_000;
/**
 * A session whose client was stopped, or is on the other side of a dead link, would hold the lock of its coupon until TCP gives up, hours
 * later, and no other worker could issue meanwhile. Three statements' time, a lease for a drain, and at most this.
 */
const LONGEST_IDLE_MS = 10_000;
/**
 * A plan that was made while a table was empty reads it from end to end, and is kept while it grows. Where nothing else is possible a
 * table is read like that all the same; the price that PostgreSQL then puts on it must not start its compiler.
 */
const PLANNING = '-c enable_seqscan=off -c jit=off';
const POOL_SIZE = 10;
/** A server that hangs says no farewell. */
const CLOSE_MS = 2_000;

export interface DatabaseOptions {
  poolSize?: number;
  /** Milliseconds that one statement may take. */
  statementTimeoutMs?: number;
  /** Every transaction is READ ONLY: PostgreSQL itself refuses to write, whatever the role may do. */
  readOnly?: boolean;
  /** Variables of libpq that may fill in what the URL does not say. */
  variables?: Variables;
}

/** A pool of connections to the ledger's database, with errors that say what to do. */
export class Database {
  readonly target: PgTarget;
  readonly #pool: pg.Pool;
  readonly #clients = new Set<PoolClient>();

  /** @throws CouponError `BAD_DATABASE_URL` */
  constructor(url: string, options: DatabaseOptions = {}) {
    const { poolSize = POOL_SIZE, statementTimeoutMs = STATEMENT_TIMEOUT_MS, readOnly = false, variables = {} } = options;
    this.target = parseDatabaseUrl(url, variables);
    const { host, port, user, password, database, ssl, sslnegotiation, keepAlive, keepAliveDelayMs } = this.target;
    const session = [PLANNING, this.target.options, readOnly && '-c default_transaction_read_only=on'].filter(Boolean).join(' ');
    this.#pool = new pg.Pool({
      Client: LedgerClient,
      host,
      port,
      user,
      // Asked for only where the server wants one.
      password: password ?? (() => Promise.reject(passwordMissing(this.target))),
      database,
      ssl,
      sslnegotiation,
      max: poolSize,
      connectionTimeoutMillis: this.target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      idle_in_transaction_session_timeout: Math.min(3 * statementTimeoutMs, LONGEST_IDLE_MS),
      keepAlive,
      ...(keepAliveDelayMs === null ? {} : { keepAliveInitialDelayMillis: keepAliveDelayMs }),
      application_name: this.target.applicationName,
      allowExitOnIdle: true,
      options: session,
    });
    this.#pool.on('connect', (client) => this.#clients.add(client));
    this.#pool.on('remove', (client) => this.#clients.delete(client));
    // Without a listener the loss of an idle connection ends the process; the next query reports the loss by itself.
    this.#pool.on('error', () => undefined);
  }

  get address(): string {
    return pgAddress(this.target);
  }

  async query<Row extends object>(config: QueryConfig | string): Promise<Row[]> {
    try {
      return (await this.#pool.query(config)).rows as Row[];
    } catch (error) {
      throw pgError(error, this.target);
    }
  }

  /** Rows affected. */
  async execute(config: QueryConfig | string): Promise<number> {
    try {
      return (await this.#pool.query(config)).rowCount ?? 0;
    } catch (error) {
      throw pgError(error, this.target);
    }
  }

  /**
   * One transaction, READ COMMITTED. The connection is thrown away after a failure that it cannot roll back: its state is unknown.
   *
   * @param options.end how to end it once the work is done
   * @param options.timeoutMs that each statement may take
   */
  async transaction<T>(
    work: (client: PoolClient) => Promise<T>,
    { end = () => 'COMMIT', timeoutMs }: { end?: (result: T) => 'COMMIT' | 'ROLLBACK'; timeoutMs?: number } = {},
  ): Promise<T> {
    let client: PoolClient | undefined;
    try {
      client = await this.#pool.connect();
      const limit = timeoutMs === undefined ? '' : `; SET LOCAL statement_timeout = ${Math.max(1, Math.floor(timeoutMs))}`;
      await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED${limit}`);
      const result = await work(client);
      await client.query(end(result));
      client.release();
      return result;
    } catch (error) {
      // What PostgreSQL refused leaves a sound connection. A search for the refused row of a batch would open dozens of new ones.
      const sound = client && error instanceof pg.DatabaseError && (await rolledBack(client));
      client?.release(!sound);
      throw error;
    }
  }

  /** What an error of a transaction means; `transaction` itself throws it raw, because constraints carry meaning. */
  explain(error: unknown): Error {
    return pgError(error, this.target);
  }

  /** The same for a transaction whose work was done: what failed was its end. */
  explainCommit(error: unknown): Error {
    return commitError(error, this.target);
  }

  /** Politely, or by cutting the connections where a server does not answer any more. */
  async close(): Promise<void> {
    const ended = this.#pool.end().then(() => true);
    if (await withTimeout(ended, CLOSE_MS, false)) return;
    for (const client of this.#clients) cutOff(client);
  }
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
