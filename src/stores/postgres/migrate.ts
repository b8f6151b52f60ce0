import { readdirSync, readFileSync } from 'node:fs';
import { CouponError } from '../../lib/errors.ts';
import type { Database } from './connection/database.ts';
import type { PoolClient } from 'pg';
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
  await refuseTakenNames(database, lockPatience);
  for (const migration of migrations()) {
    try {
      await database.transaction(async (client) => {
        await lock(client, lockPatience);
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
      throw database.explain(error);
    }
  }
  return done;
}

async function lock(client: PoolClient, patience: string): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${patience}'`);
  await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}

/** Of relations, and of types: a table makes one of its own name. $1 schema, $2 names */
const TAKEN = `SELECT name FROM unnest($2::text[]) AS name
WHERE EXISTS (SELECT FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace WHERE nspname = $1 AND relname = name)
  OR EXISTS (SELECT FROM pg_type JOIN pg_namespace AS space ON space.oid = typnamespace WHERE nspname = $1 AND typname = name)`;

/** How many columns of ours there are in a table of that name. $1 schema */
const OUR_COLUMNS = `SELECT count(*) FILTER (WHERE attname IN ('version', 'name', 'applied_at'))::integer AS ours
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace AS space ON space.oid = relnamespace
WHERE nspname = $1 AND relname = 'coupon_migrations' AND NOT attisdropped HAVING count(*) > 0`;

/**
 * The shop itself may have a table, a view or a type of that name. Looked for before the first migration, so that none is left half-way.
 *
 * @throws CouponError `TABLE_TAKEN`
 */
async function refuseTakenNames(database: Database, lockPatience: string): Promise<void> {
  const taken = await database
    .transaction(async (client) => {
      await lock(client, lockPatience);
      const { rows: found } = await client.query<{ schema: string | null }>('SELECT coalesce($1, current_schema()) AS schema', [
        database.target.schema,
      ]);
      const { schema = null } = found[0] ?? {};
      const { rows: list } = await client.query<{ ours: number }>(OUR_COLUMNS, [schema]);
      if (list[0] && list[0].ours < 3) return ['coupon_migrations'];
      const applied = list[0] ? (await client.query<{ version: number }>(`SELECT version FROM "${schema}".coupon_migrations`)).rows : [];
      const names = migrations()
        .filter(({ version }) => !applied.some((one) => one.version === version))
        .flatMap(({ sql }) => [...sql.matchAll(/^CREATE (?:TABLE|(?:UNIQUE )?INDEX) (\w+)/gm)].map(([, name]) => name!));
      return (await client.query<{ name: string }>(TAKEN, [schema, names])).rows.map(({ name }) => name);
    })
    .catch((error: unknown) => {
      throw database.explain(error);
    });
  if (taken.length === 0) return;
  throw new CouponError({
    code: 'TABLE_TAKEN',
    kind: 'usage',
    message: `the database ${database.address} has ${taken.join(', ')} already, and not from us; nothing was changed`,
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
