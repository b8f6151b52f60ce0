import pg from 'pg';
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import { commitError, pgAddress, pgError } from './errors.ts';
import { Sessions } from './sessions.ts';
import { parseDatabaseUrl, type PgTarget, type Variables } from './url.ts';

/** No statement of ours takes longer on purpose; the drain sets a shorter one for its own transaction. */
const STATEMENT_TIMEOUT_MS = 60_000;
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
const PLANNING = { enable_seqscan: 'off', jit: 'off' };

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
  readonly #sessions: Sessions;

  /** @throws CouponError `BAD_DATABASE_URL` */
  constructor(url: string, options: DatabaseOptions = {}) {
    const { poolSize, statementTimeoutMs = STATEMENT_TIMEOUT_MS, readOnly = false, variables = {} } = options;
    this.target = parseDatabaseUrl(url, variables);
    const idleInTransactionMs = Math.min(3 * statementTimeoutMs, LONGEST_IDLE_MS);
    this.#sessions = new Sessions(
      this.target,
      { statementTimeoutMs, silenceMs: SILENCE_MS, idleInTransactionMs, readOnly, set: PLANNING },
      poolSize,
    );
  }

  get address(): string {
    return pgAddress(this.target);
  }

  /** Whether somebody stands between, as the sessions so far have shown. */
  get pooled(): boolean {
    return this.#sessions.pooled;
  }

  async query<Row extends object>(config: QueryConfig | string): Promise<Row[]> {
    return (await this.#run(config)).rows as Row[];
  }

  /** Rows affected. */
  async execute(config: QueryConfig | string): Promise<number> {
    return (await this.#run(config)).rowCount ?? 0;
  }

  /** One statement that changes something. @throws CouponError `LEDGER_REPLY_LOST` when it was sent and may have taken effect */
  async change<Row extends object>(config: QueryConfig): Promise<Row[]> {
    return (await this.#run(config, (error) => this.explainCommit(error))).rows as Row[];
  }

  /** One statement by itself; through a pooler in a transaction, which brings the settings along. */
  async #run(config: QueryConfig | string, explain: (error: unknown) => unknown = (error) => error): Promise<QueryResult> {
    try {
      const client = await this.#sessions.connect();
      if (this.#sessions.pooled) {
        client.release();
        let done = false;
        const inside = async (one: PoolClient): Promise<QueryResult> => {
          const result = await one.query(config);
          done = true;
          return result;
        };
        return await this.transaction(inside).catch((error: unknown) => {
          throw done ? explain(error) : error;
        });
      }
      return await onlyQuery(client, config).catch((error: unknown) => {
        throw explain(error);
      });
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
      client = await this.#sessions.connect();
      await client.query(this.#sessions.begin(timeoutMs));
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

  /**
   * One statement that is a transaction of its own, with its own time limit: one round trip instead of three, and no lock is held while a
   * client is slow. Through a pooler it takes a transaction, which brings the settings along.
   *
   * @throws CouponError when it was not sent; else what happened as it is, because constraints carry meaning
   */
  async alone<Row extends object>(config: QueryConfig, timeoutMs: number): Promise<Row[]> {
    let client: PoolClient;
    try {
      client = await this.#sessions.connect(timeoutMs);
    } catch (error) {
      throw pgError(error, this.target);
    }
    if (this.#sessions.pooled) {
      client.release();
      return await this.transaction(async (one) => (await one.query<Row>(config)).rows, { timeoutMs });
    }
    return (await onlyQuery<Row>(client, config)).rows;
  }

  /** What an error of a transaction means; `transaction` itself throws it raw, because constraints carry meaning. */
  explain(error: unknown): Error {
    return pgError(error, this.target);
  }

  /** The same for a transaction whose work was done: what failed was its end. */
  explainCommit(error: unknown): Error {
    return commitError(error, this.target);
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }
}

/** As the driver does it for one query: a session in which one failed may be lost, unless PostgreSQL itself said so. */
async function onlyQuery<Row extends object>(client: PoolClient, config: QueryConfig | string): Promise<QueryResult<Row>> {
  let lost = true;
  try {
    const result = await client.query<Row>(config);
    lost = false;
    return result;
  } catch (error) {
    lost = !(error instanceof pg.DatabaseError);
    throw error;
  } finally {
    client.release(lost);
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
