import type { Database } from './connection/database.ts';
import { statement } from './statements.ts';

/** A verb of `GRANT`, in capitals, and the table; null: the schema itself. */
export interface MissingGrant {
  table: string | null;
  verb: string;
}

/**
 * Which of these rights the role lacks. Tables that are not there yet count as allowed.
 *
 * @param wanted verbs by table
 * @throws CouponError as any statement
 */
export async function missingGrants(database: Database, wanted: ReadonlyMap<string, readonly string[]>): Promise<MissingGrant[]> {
  const pairs = [...wanted].flatMap(([table, verbs]) => verbs.map((verb) => [table, verb] as const));
  const values = [database.target.schema, pairs.map(([table]) => table), pairs.map(([, verb]) => verb)];
  const rows = await database.query<{ relation: string | null; verb: string }>(statement('missing-rights', values));
  return rows.map(({ relation, verb }) => ({ table: relation, verb }));
}
