import { CouponError } from '../../lib/errors.ts';
import type { PostgresFacts } from '../../operate/doctor/ports.ts';
import type { Database } from '../postgres/connection/database.ts';
import { databaseDurability } from '../postgres/health.ts';
import { appliedVersion, migrations } from '../postgres/migrate.ts';
import { statement } from '../postgres/statements.ts';
import { trips } from './trips.ts';

interface Row {
  version: number;
  standby: boolean;
  read_only: boolean;
  used: number;
  most: number;
}

/** @throws CouponError when it cannot be asked at all */
export async function surveyPostgres(database: Database): Promise<PostgresFacts> {
  const [row] = await database.query<Row>(statement('server-settings'));
  const { version, standby, read_only: readOnly, used, most } = row!;
  return {
    version: Math.floor(version / 10_000),
    standby,
    readOnly,
    weaknesses: await databaseDurability(database),
    // The session that was opened for the first question has shown it.
    pooled: database.pooled,
    schema: await schemaOf(database),
    connections: { used, most },
    trip: await tripsTo(database),
  };
}

async function schemaOf(database: Database): Promise<PostgresFacts['schema']> {
  try {
    return { applied: await appliedVersion(database), newest: migrations().at(-1)!.version };
  } catch (error) {
    if (error instanceof CouponError && error.code === 'DATABASE_PERMISSION') return null;
    throw error;
  }
}

/** Within one transaction: through a pooler, each question would bring one along. */
async function tripsTo(database: Database): Promise<PostgresFacts['trip']> {
  try {
    return await database.transaction((client) =>
      trips(async () => {
        const { rows } = await client.query<{ ms: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
        return Number(rows[0]!.ms);
      }),
    );
  } catch (error) {
    throw database.explain(error);
  }
}
