import type { Socket } from 'node:net';
import pg from 'pg';
import { withTimeout } from '../../lib/with-timeout.ts';
import { POSTGRES_DATABASE, POSTGRES_USER } from '../settings.ts';

const PATIENCE_MS = 2_000;

/** The version of the PostgreSQL that answers on loopback; null when none does, or when it is not ready or does not take our password. */
export async function askPostgres(port: number, password: string): Promise<string | null> {
  try {
    const version = await query(port, password, 'show server_version');
    return version?.split(' ')[0] ?? null;
  } catch {
    return null;
  }
}

/** Creates the stack's database, unless it is there. */
export async function ensureDatabase(port: number, password: string): Promise<void> {
  const there = await query(port, password, `select datname from pg_database where datname = '${POSTGRES_DATABASE}'`);
  if (there === null) await query(port, password, `create database ${POSTGRES_DATABASE}`);
}

/** Logs in by SCRAM alone, which shows the password to no server: one that wants it in clear text, or as MD5, is refused. */
class ScramClient extends pg.Client {
  cutOff(): void {
    (this as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }

  // Handlers of the driver, see its lib/client.js.
  protected _handleAuthCleartextPassword(): void {
    this.cutOff();
  }

  protected _handleAuthMD5Password(): void {
    this.cutOff();
  }
}

/** The first value of the answer, a text. Every setting is given, so that a person's PG* variables have no say. */
async function query(port: number, password: string, sql: string): Promise<string | null> {
  const client = new ScramClient({
    host: '127.0.0.1',
    port,
    user: POSTGRES_USER,
    password,
    database: 'postgres', // exists before ours does
    ssl: false,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
    application_name: 'coupon-cli dev',
  });
  client.on('error', () => {}); // the query that is under way rejects as well
  try {
    await client.connect();
    const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0] ?? null;
  } finally {
    // A server that goes on holding the connection does not hold us.
    await withTimeout(
      client.end().catch(() => {}),
      PATIENCE_MS,
      undefined,
    );
    client.cutOff();
  }
}
