import { CouponError } from '../../../lib/errors.ts';
import { openFileLimit } from '../../../lib/process/open-files.ts';
import type { Facts, PostgresFacts, RedisFacts, Unreached } from '../../../operate/doctor/ports.ts';
import type { EventPlan, Plan } from '../../../operate/doctor/plan.ts';
import { POOL_SIZE } from '../../../stores/postgres/connection/sessions.ts';
import { couponKeys } from '../../../stores/redis/keys/keys.ts';
import type { RedisConnection } from '../../../stores/redis/connection/connection.ts';
import type { Context } from '../../context.ts';

export interface Wanted {
  processes: number;
  clients: number;
  users: number | null;
  event: EventPlan | null;
  probe: boolean;
}

/** Looks at both stores and this machine. A store that is away is a fact, too. */
export async function lookAtStores(context: Context, wanted: Wanted): Promise<{ facts: Facts; plan: Plan }> {
  const { processes, clients, event } = wanted;
  let users: Plan['users'] = null;
  const redis = await unlessUnreached(async () => {
    const connection = await context.readOnlyRedis();
    users = placed(context, connection, wanted);
    return await redisFacts(context, connection, wanted.probe);
  });
  const postgres = await unlessUnreached(async (): Promise<PostgresFacts> => {
    const { surveyPostgres } = await import('../../../stores/survey/postgres.ts');
    return await surveyPostgres(await context.database());
  });
  const facts = { redis, postgres, machine: { openFiles: openFileLimit() } };
  return { facts, plan: { processes, poolSize: POOL_SIZE, clients, users, event } };
}

async function redisFacts(context: Context, connection: RedisConnection, probe: boolean): Promise<RedisFacts> {
  const [{ surveyRedis }, { probedBytes, sampledBytes }] = await Promise.all([
    import('../../../stores/survey/redis.ts'),
    import('../../../stores/survey/bytes-per-user.ts'),
  ]);
  const style = context.keyStyleOf(connection);
  return await surveyRedis(connection, async () => (probe ? probedBytes : sampledBytes)(connection, style));
}

/** Who lies where: all keys of a coupon are on one server. Of users without an event it is not known, so each server must have room for all. */
function placed(context: Context, connection: RedisConnection, { users, event }: Wanted): Plan['users'] {
  const style = context.keyStyleOf(connection);
  if (users !== null) return connection.servers().map(({ address }) => ({ address, users }));
  return event?.coupons.map(({ id, total }) => ({ address: connection.addressOf(couponKeys(id, style).coupon), users: total })) ?? null;
}

async function unlessUnreached<T>(look: () => Promise<T>): Promise<T | Unreached> {
  try {
    return await look();
  } catch (error) {
    // A wrong setting is no finding about a store.
    if (error instanceof CouponError && !error.code.startsWith('BAD_')) return { error };
    throw error;
  }
}
