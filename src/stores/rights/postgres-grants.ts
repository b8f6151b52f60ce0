import { PASSWORD } from './redis-acl.ts';
import type { Rights } from './rights.ts';

/** Where the tables are unless a schema was named. */
const DEFAULT_SCHEMA = 'public';

/** @param schema null: none was named. @returns statements for the owner of the tables; none: the ledger is not used */
export function postgresGrants({ tables, makesTables }: Rights, role: string, schema: string | null): string[] {
  if (tables.size === 0 && !makesTables) return [];
  const [to, within] = [quoted(role), quoted(schema ?? DEFAULT_SCHEMA)];
  return [
    `CREATE ROLE ${to} LOGIN PASSWORD '${PASSWORD}';`,
    ...(makesTables && schema !== null ? [`CREATE SCHEMA IF NOT EXISTS ${within};`] : []),
    `GRANT USAGE${makesTables ? ', CREATE' : ''} ON SCHEMA ${within} TO ${to};`,
    ...[...tables].map(([table, verbs]) => `GRANT ${verbs.join(', ').toUpperCase()} ON ${within}.${table} TO ${to};`),
  ];
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
