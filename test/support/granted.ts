import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { cli } from './run-cli.ts';

/** Stores, and who may give rights in them. */
export interface GrantingStores {
  redis: Redis;
  redisUrl: string;
  databaseUrl: string;
  sql: (text: string) => Promise<unknown>;
}

interface Printed {
  redis: { acl: string; commands: string[] } | null;
  postgres: { sql: string[]; tables: Record<string, string[]> } | null;
}

/** A user of both stores who has exactly what `coupon-cli grants` prints for a command. */
export interface Granted {
  /** Arguments that run a command as this user. */
  at: string[];
  redisUrl: string;
  databaseUrl: string;
  /** Commands of Redis, in lower case. */
  commands: string[];
  /** Verbs by table. */
  tables: [string, string][];
  command(change: '+' | '-', name: string): Promise<void>;
  table(change: 'GRANT' | 'REVOKE', verb: string, table: string): Promise<void>;
  remove(): Promise<void>;
}

const SECRET = 'granted-to-a-test';

/** @param flags such as --schema, which change what is printed */
export async function grantedUser(stores: GrantingStores, use: string, flags: readonly string[] = []): Promise<Granted> {
  const user = `granted_${randomUUID().slice(0, 8)}`;
  const where = ['--redis-url', stores.redisUrl, '--database-url', stores.databaseUrl, ...flags];
  const printed = await cli(['grants', use, '--user', user, '--json', ...where]);
  if (printed.exitCode !== 0) throw new Error(printed.stderr);
  const { redis, postgres } = printed.json<{ grants: [Printed] }>().grants[0];
  const [acl, ...rules] = (redis?.acl ?? `ACL SETUSER ${user} on >PASSWORD -@all`).replace('>PASSWORD', `>${SECRET}`).split(' ');
  await stores.redis.call(acl!, ...rules);
  const sql = postgres?.sql ?? [`CREATE ROLE "${user}" LOGIN PASSWORD 'PASSWORD'`];
  for (const text of sql) await stores.sql(text.replace("'PASSWORD'", `'${SECRET}'`));
  const as = (url: string): string => Object.assign(new URL(url), { username: user, password: SECRET }).href;
  const urls = { redisUrl: as(stores.redisUrl), databaseUrl: as(stores.databaseUrl) };
  return {
    ...urls,
    at: ['--redis-url', urls.redisUrl, '--database-url', urls.databaseUrl, ...flags],
    commands: redis?.commands ?? [],
    tables: Object.entries(postgres?.tables ?? {}).flatMap(([table, verbs]) => verbs.map((verb): [string, string] => [table, verb])),
    async command(change, name) {
      await stores.redis.call('ACL', 'SETUSER', user, `${change}${name}`);
      // A script that the server knows is called by its hash alone.
      await stores.redis.script('FLUSH');
    },
    async table(change, verb, table) {
      await stores.sql(`${change} ${verb} ON ${table} ${change === 'GRANT' ? 'TO' : 'FROM'} "${user}"`);
    },
    async remove() {
      await stores.redis.call('ACL', 'DELUSER', user);
      await stores.sql(`DROP OWNED BY "${user}"`);
      await stores.sql(`DROP ROLE "${user}"`);
    },
  };
}

/** Commands that Redis has run since its counters were last reset, those within scripts included; in lower case. */
export async function commandsRun(redis: Redis): Promise<Set<string>> {
  const info = await redis.info('commandstats');
  return new Set([...info.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name!.replace('|', ' ')));
}
