import { usageError } from '../../lib/errors.ts';
import { parseDatabaseUrl } from '../../stores/postgres/connection/url.ts';
import { parseRedisUrl } from '../../stores/redis/connection/url.ts';
import { PASSWORD, redisAcl, redisRules } from '../../stores/rights/redis-acl.ts';
import { postgresGrants } from '../../stores/rights/postgres-grants.ts';
import { rightsOf, type Rights } from '../../stores/rights/rights.ts';
import { allSelected, select, type Selected } from '../../stores/rights/select.ts';
import type { Paint } from '../../lib/text/style.ts';
import type { Configure } from '../command.ts';
import type { Context } from '../context.ts';

const EXAMPLES = `
Examples:
  coupon-cli grants                              a user for each command, and for each option that needs more
  coupon-cli grants drain 'audit --repair'       these only; quotes keep a command and its options together
  coupon-cli grants seed serve drain --user shop one user for all three
  coupon-cli grants drain --for redis            the line for redis-cli alone
  coupon-cli grants serve --json | jq -r '.grants[].postgres.sql[]'

No store is asked. Keys, database and schema are those of the settings (--key-prefix, --key-style, --schema, and both URLs). Run the lines for
PostgreSQL as the owner of the tables, after migrate.`;

const STORES = ['redis', 'postgres'] as const;
type Store = (typeof STORES)[number];

/** For one user. */
interface Grant {
  /** Commands that it is for. */
  commands: string[];
  user: string;
  redis: { acl: string; keys: string[]; commands: string[] } | null;
  postgres: { sql: string[]; tables: Record<string, readonly string[]> } | null;
}

export const configure: Configure = (command, cli) => {
  command
    .argument('[command...]', "commands, such as drain or 'audit --repair'; all of them when none is named")
    .option('--user <name>', 'one user for all of them; coupon_<command> for each unless given')
    .option('--for <store>', 'redis or postgres; both unless given')
    .addHelpText('after', EXAMPLES)
    .action(async (names, flags, self) => {
      await cli.run(self, async (context) => {
        const stores = flags.for === undefined ? STORES : [storeOf(flags.for)];
        const wanted = names.length === 0 ? allSelected() : names.flatMap((name) => select(name, flags.user === undefined));
        const user = flags.user === undefined ? null : userName(flags.user);
        const grants = (user === null ? wanted.map((one) => [one]) : [wanted])
          .map((group) => grantOf(context, group, user ?? defaultUser(group[0]!.name)))
          .map((one) => ({
            ...one,
            redis: stores.includes('redis') ? one.redis : null,
            postgres: stores.includes('postgres') ? one.postgres : null,
          }))
          .filter((one) => one.redis !== null || one.postgres !== null);
        context.out.data({ grants }, (paint) => grantsText(grants, paint));
        context.out.note(`put a password of your own in place of ${PASSWORD}`);
      });
    });
};

function storeOf(text: string): Store {
  const store = STORES.find((one) => one === text);
  if (store) return store;
  throw usageError('GRANTS_USAGE', `--for: "${text}" is no store`, `Use ${STORES.join(' or ')}.`);
}

/** A name that means itself in an access list, in SQL and in a URL. */
function userName(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/.test(text)) return text;
  throw usageError('GRANTS_USAGE', `--user: "${text}" is no name of a user`, 'Use up to 63 letters, digits, "_", "." and "-".');
}

function defaultUser(name: string): string {
  return `coupon_${name.replace(/[^a-z]+/g, '_')}`;
}

function grantOf(context: Context, group: readonly Selected[], user: string): Grant {
  const { settings } = context;
  const { database } = parseRedisUrl(settings.get('redisUrl').value);
  const variables = { ...settings.variables, COUPON_SCHEMA: settings.get('schema').value };
  const { schema } = parseDatabaseUrl(settings.get('databaseUrl').value, variables);
  const rights: Rights = rightsOf(
    group.flatMap(({ uses }) => uses),
    database,
  );
  const spelling = { style: context.keyStyleOf({ isCluster: false }), prefix: context.keyPrefix };
  const acl = redisAcl(rights, user, spelling);
  const sql = postgresGrants(rights, user, schema);
  return {
    commands: group.map(({ name }) => name),
    user,
    redis: acl === null ? null : { acl, ...redisRules(rights, spelling) },
    postgres: sql.length === 0 ? null : { sql, tables: Object.fromEntries(rights.tables) },
  };
}

/** Headings only where there is more than one user: one user's lines can be piped as they are. */
function grantsText(grants: readonly Grant[], paint: Paint): string {
  const blocks = grants.map(({ commands, redis, postgres }) => {
    const heading = grants.length > 1 ? [paint.dim(`-- ${commands.join(', ')}`)] : [];
    return [...heading, ...(redis ? [redis.acl] : []), ...(postgres?.sql ?? [])].join('\n');
  });
  return blocks.join('\n\n');
}
