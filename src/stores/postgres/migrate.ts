import { readdirSync, readFileSync } from 'node:fs';
import { CouponError } from '../../lib/errors.ts';
import { visible } from '../../lib/text/visible.ts';
import type { Database } from './connection/database.ts';
import { schemaMissing } from './connection/errors.ts';
import { statement } from './statements.ts';

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/** Any number serves, as long as no other program in the database uses it for an advisory lock. */
const LOCK = 0x636f7570;

/** A forgotten transaction holds no migration up for ever. */
const LOCK_PATIENCE = '20s';

const TABLE = `CREATE TABLE IF NOT EXISTS coupon_migrations (
  version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz(3) NOT NULL DEFAULT now()
)`;

/** All migrations, in order. Numbered, forward only. */
export function migrations(): Migration[] {
  const folder = new URL('./migrations/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => ({
      version: Number.parseInt(file, 10),
      name: file.replace(/\.sql$/, ''),
      sql: readFileSync(new URL(file, folder), 'utf8'),
    }));
}

export async function pendingMigrations(database: Database): Promise<Migration[]> {
  const applied = await appliedVersion(database);
  return migrations().filter((migration) => migration.version > applied);
}

/**
 * Applies what is missing, each migration in a transaction of its own, and returns what it applied. Two at once are safe:
 * the second waits for the first one's lock and finds nothing left to do.
 *
 * @throws CouponError `DATABASE_LOCKED` when another session keeps a lock for longer than that
 */
export async function migrate(database: Database, lockPatience = LOCK_PATIENCE): Promise<Migration[]> {
  const done: Migration[] = [];
  for (const migration of migrations()) {
    try {
      await database.transaction(async (client) => {
        await client.query(`SET LOCAL lock_timeout = '${lockPatience}'`);
        await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
        const { schema } = database.target;
        // Only where it is missing: the right to make one is asked for even when it is there.
        if (schema !== null && (await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])).rowCount === 0)
          await client.query(`CREATE SCHEMA "${schema}"`);
        await client.query(TABLE);
        const insert = 'INSERT INTO coupon_migrations (version, name) VALUES ($1, $2) ON CONFLICT DO NOTHING';
        const { rowCount } = await client.query(insert, [migration.version, migration.name]);
        if (rowCount === 0) return;
        await client.query(migration.sql);
        done.push(migration);
      });
    } catch (error) {
      throw (error as { code?: string }).code === '42P07' ? tableTaken(database, (error as Error).message) : database.explain(error);
    }
  }
  return done;
}

/** The shop itself may have a table of that name. */
function tableTaken(database: Database, message: string): CouponError {
  return new CouponError({
    code: 'TABLE_TAKEN',
    kind: 'usage',
    message: `the database ${database.address} has a table of that name, which is not ours; nothing was changed`,
    why: visible(message),
    fix: 'Give the coupon tables a schema of their own: --schema coupon_cli (or COUPON_SCHEMA, or ?schema=coupon_cli in the URL), for every command.',
  });
}

/**
 * @throws CouponError `SCHEMA_MISSING` when there are no tables or older ones, `SCHEMA_TOO_NEW` when a later version of the
 * tool has changed them
 */
export async function checkSchema(database: Database): Promise<void> {
  const newest = migrations().at(-1)!.version;
  const applied = await appliedVersion(database);
  if (applied < newest) throw schemaMissing(database.address, `schema version ${applied}, needed ${newest}`);
  if (applied > newest) {
    throw new CouponError({
      code: 'SCHEMA_TOO_NEW',
      kind: 'usage',
      message: `the database ${database.address} was migrated by a later version of coupon-cli`,
      why: `schema version ${applied}, known ${newest}`,
      fix: 'Update coupon-cli.',
    });
  }
}

/** 0: there are no tables. */
export async function appliedVersion(database: Database): Promise<number> {
  try {
    const [row] = await database.query<{ version: number | null }>(statement('schema-version'));
    return row?.version ?? 0;
  } catch (error) {
    if (error instanceof CouponError && error.code === 'SCHEMA_MISSING') return 0;
    throw error;
  }
}
