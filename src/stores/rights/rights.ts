import { STATEMENT_RIGHTS, type Table } from '../postgres/statement-rights.ts';
import { SCRIPT_RIGHTS, type KeyName, type KeyRights } from '../redis/script-rights.ts';
import type { Use } from './commands.ts';

/** What a user of both stores needs, each list in order and without repeats. */
export interface Rights {
  /** Commands by key, in lower case. */
  redis: ReadonlyMap<KeyName, readonly string[]>;
  /** Verbs of `GRANT` by table, in lower case. */
  tables: ReadonlyMap<Table, readonly string[]>;
  makesTables: boolean;
}

/** A script is called by its hash, and sent in full when the server has forgotten it. */
const SCRIPT_CALLS: KeyRights = { none: 'eval evalsha' };

/** @param database number of the Redis database; every link begins on 0 */
export function rightsOf(uses: readonly Use[], database = 0): Rights {
  const redis = new Map<KeyName, Set<string>>();
  const tables = new Map<Table, Set<string>>();
  for (const { scripts = [], redis: direct = [], statements = [] } of uses) {
    for (const keys of direct) gather(redis, keys);
    for (const script of scripts) gather(redis, SCRIPT_RIGHTS[script]);
    if (scripts.length > 0) gather(redis, SCRIPT_CALLS);
    for (const statement of statements) gather(tables, STATEMENT_RIGHTS[statement]);
    // Every command that reads the ledger looks at its version first.
    if (statements.length > 0) gather(tables, STATEMENT_RIGHTS['schema-version']);
  }
  if (redis.size > 0 && database !== 0) gather(redis, { none: 'select' });
  return { redis: sorted(redis), tables: sorted(tables), makesTables: uses.some((use) => use.makesTables === true) };
}

function gather<K extends string>(into: Map<K, Set<string>>, from: Readonly<Partial<Record<K, string>>>): void {
  for (const [key, words] of Object.entries(from) as [K, string][]) {
    const known = into.get(key) ?? new Set();
    for (const word of words.split(' ')) known.add(word);
    into.set(key, known);
  }
}

function sorted<K>(sets: ReadonlyMap<K, ReadonlySet<string>>): Map<K, string[]> {
  return new Map([...sets].map(([key, words]) => [key, [...words].toSorted()]));
}
