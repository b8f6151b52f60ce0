import { CouponError } from '../lib/errors.ts';
import { command as suggested } from '../lib/text/suggested-command.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { pgAddress } from '../stores/postgres/connection/errors.ts';
import type { Ledger } from '../stores/postgres/ledger.ts';
import type { RedisConnection } from '../stores/redis/connection/connection.ts';
import { addressOf, parseRedisUrl } from '../stores/redis/connection/url.ts';
import type { Context, RedisStores } from './context.ts';

export interface RightsOptions {
  /** The command, with options that need more: `audit --repair`. */
  use: string;
  /** Coupons that it is about; none: all that the ledger has. */
  couponIds: readonly string[];
}

interface Tried {
  redis: { connection: RedisConnection } | null;
  database: Database;
}

/** Keys of so many coupons are tried: a user of Redis that may touch some of them and not others is rare. */
const COUPONS_TRIED = 20;
/** Where there is no coupon yet. */
const SAMPLE = ['0'];
const PERMISSION_CODES = new Set(['REDIS_AUTH', 'DATABASE_PERMISSION', 'SCHEMA_MISSING']);

/**
 * Opens stores, and refuses at once what would be refused half-way: a user of Redis that lacks one of the commands of a script, or a
 * role that lacks a right to a table. Everything that is missing is named together.
 *
 * @throws CouponError `REDIS_AUTH`, `DATABASE_PERMISSION`, and what `open` throws
 */
export async function withRights<T extends Tried>(context: Context, options: RightsOptions, open: () => Promise<T>): Promise<T> {
  let stores: T;
  try {
    stores = await open();
  } catch (error) {
    if (error instanceof CouponError && PERMISSION_CODES.has(error.code)) await tryUnopened(context, options);
    throw error;
  }
  await tryRights(context, options, stores);
  return stores;
}

/** The stores of a command that runs once. */
export async function openWithRights(
  context: Context,
  options: RightsOptions & { reconnect?: boolean },
): Promise<{ redis: RedisStores; ledger: Ledger; database: Database }> {
  return await withRights(context, options, async () => {
    const database = await context.database();
    const ledger = await context.ledgerOf(database);
    return { database, ledger, redis: await context.redis(options.reconnect) };
  });
}

/** The same without Redis. */
export async function ledgerWithRights(context: Context, use: string): Promise<Ledger> {
  const { ledger } = await withRights(context, { use, couponIds: [] }, async () => {
    const database = await context.database();
    return { database, ledger: await context.ledgerOf(database), redis: null };
  });
  return ledger;
}

/** What could not be opened for want of one right is looked at in another way, so that all of them are named. */
async function tryUnopened(context: Context, options: RightsOptions): Promise<void> {
  let stores: Tried;
  try {
    const { rights } = await wanted(options.use);
    // This one is content without INFO.
    stores = { redis: rights.redis.size > 0 ? { connection: await context.readOnlyRedis() } : null, database: await context.database() };
  } catch {
    return; // the first error says what is wrong
  }
  await tryRights(context, options, stores);
}

async function tryRights(context: Context, { use, couponIds }: RightsOptions, { redis, database }: Tried): Promise<void> {
  const [{ missingGrants }, { deniedCommands }, { keyOf, keyPattern }, { rights }] = await Promise.all([
    import('../stores/postgres/rights-trial.ts'),
    import('../stores/redis/rights-trial.ts'),
    import('../stores/rights/redis-acl.ts'),
    wanted(use),
  ]);
  const grants = await missingGrants(database, rights.tables);
  const style = context.keyStyleOf({ isCluster: redis?.connection.isCluster ?? false });
  const spelling = { style, prefix: context.keyPrefix };
  // Without the ledger it is not known which coupons there are.
  const ids = couponIds.length > 0 || redis === null || grants.length > 0 ? couponIds : await couponIdsOf(database);
  const tried = (ids.length > 0 ? ids : SAMPLE).slice(0, COUPONS_TRIED);
  const asked = [...rights.redis].flatMap(([name, commands]) =>
    (name === 'none' ? [null] : name === 'index' ? [''] : tried).flatMap((id) =>
      commands.map((one) => ({
        command: one.toUpperCase(),
        key: id === null || name === 'none' ? null : keyOf(name, id, '0', spelling),
        shown: name === 'none' ? one.toUpperCase() : `${one.toUpperCase()} on ${keyPattern(name, spelling)}`,
      })),
    ),
  );
  const denied = redis === null ? [] : ((await deniedCommands(redis.connection, asked)) ?? []);
  if (denied.length === 0 && grants.length === 0) return;
  const commands = denied.map((one) => ('shown' in one ? String(one.shown) : one.command));
  throw refusal(context, use, database, [...new Set(commands)], grants);
}

async function wanted(use: string) {
  const [{ rightsOf }, { select }] = await Promise.all([import('../stores/rights/rights.ts'), import('../stores/rights/select.ts')]);
  return { rights: rightsOf(select(use, false).flatMap((one) => one.uses)) };
}

async function couponIdsOf(database: Database): Promise<string[]> {
  const { statement } = await import('../stores/postgres/statements.ts');
  try {
    return (await database.query<{ id: string }>(statement('find-coupons'))).map(({ id }) => id);
  } catch (error) {
    // There are no tables yet, and the opening says so.
    if (error instanceof CouponError && error.code === 'SCHEMA_MISSING') return [];
    throw error;
  }
}

function refusal(
  context: Context,
  use: string,
  { target }: Database,
  commands: readonly string[],
  grants: readonly { table: string | null; verb: string }[],
): CouponError {
  const url = parseRedisUrl(context.settings.get('redisUrl').value);
  const schema = target.schema ?? 'public';
  const rights = grants.map(({ table, verb }) => `${verb} on ${table ?? `schema ${schema}`}`);
  const ofRedis = commands.length > 0;
  const where = [...(ofRedis ? [`Redis at ${addressOf(url)}`] : []), ...(rights.length > 0 ? [`PostgreSQL at ${pgAddress(target)}`] : [])];
  const why = [...(ofRedis ? [`Redis: ${commands.join(', ')}`] : []), ...(rights.length > 0 ? [`PostgreSQL: ${rights.join(', ')}`] : [])];
  const store = ofRedis === rights.length > 0 ? '' : ofRedis ? ' --for redis' : ' --for postgres';
  return new CouponError({
    code: ofRedis ? 'REDIS_AUTH' : 'DATABASE_PERMISSION',
    kind: 'usage',
    message: `${where.join(' and ')} ${where.length > 1 ? 'do' : 'does'} not let this user do all that ${use} needs; nothing was changed`,
    why: `missing is ${why.join('; ')}`,
    fix: `${grantsCommand(use, ofRedis ? (url.user ?? 'default') : (target.user ?? ''), store)} prints what grants it.`,
  });
}

function grantsCommand(use: string, user: string, store: string): string {
  const text = user === '' ? suggested`grants ${use}` : suggested`grants ${use} --user ${user}`;
  return text.replace(/`$/, `${store}\``);
}
