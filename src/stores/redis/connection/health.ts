import type { RedisHealth } from '../../../campaign/ports/health.ts';
import { CouponError } from '../../../lib/errors.ts';
import type { RedisCondition } from '../../../campaign/readiness/readiness.ts';
import type { RedisConnection } from './connection.ts';
import { COUPON_INDEX } from '../keys/keys.ts';
import { infoField, infoOf } from './role.ts';

/** No coupon has this id. */
const NOBODY = '';

/** How Redis begins the refusal of a command, and what that says about it. */
const REFUSALS: readonly [RegExp, RedisCondition][] = [
  [/^LOADING/, 'loading'],
  [/^BUSY/, 'busy'],
  [/^READONLY/, 'replica'],
  [/^MASTERDOWN/, 'masterdown'],
  [/^NOREPLICAS/, 'noreplicas'],
  [/^MISCONF/, 'persistence'],
  [/^Command timed out/, 'timeout'],
];

/**
 * On the connection that the work itself goes over: a fresh one could be well while that one is stuck. A cluster is up while one of its
 * servers is: coupons on the others are refused one by one.
 */
export function redisHealth(connection: RedisConnection): RedisHealth {
  const { client } = connection;
  /** Hosted servers keep some commands from their users. */
  const refusedAs = <T>(instead: T, error: unknown): T => {
    if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return instead;
    throw connection.explain(error);
  };
  return {
    async condition() {
      if (connection.isCluster) return conditionOfCluster(connection);
      const [info, write] = await Promise.allSettled([
        // Not in a pipeline: INFO alone is let through while Redis is loading.
        client.info('replication', 'persistence'),
        // A write that has nothing to do: nothing is logged or replicated, but it is refused whenever any other would be.
        client.srem(COUPON_INDEX, NOBODY),
      ]);
      if (info.status === 'rejected') return conditionOf(info.reason);
      const field = (name: string): string => infoField(info.value, name);
      if (field('loading') === '1') return 'loading';
      // A replica may be set to take writes; they would be lost.
      if (field('role') !== 'master') return field('master_link_status') === 'up' ? 'replica' : 'masterdown';
      if (field('aof_last_write_status') === 'err') return 'persistence';
      // A key of a wrong type: the write got through to it, so others get through to theirs.
      const refused = write.status === 'rejected' && !(write.reason as Error).message.startsWith('WRONGTYPE');
      if (refused) return conditionOf(write.reason);
      return conditionOfServer(connection);
    },

    durability: () =>
      Promise.all(
        connection.servers().map(async ({ client: server, address }) => {
          const [info, fsync] = await Promise.all([
            infoOf(server, 'memory', 'persistence').catch((error: unknown) => refusedAs('', error)),
            server.config('GET', 'appendfsync').then(
              (settings) => settings[1] ?? null,
              (error: unknown) => refusedAs(null, error),
            ),
          ]);
          const field = (name: string): string | null => infoField(info, name) || null;
          const enabled = field('aof_enabled');
          return { address, evictionPolicy: field('maxmemory_policy'), appendOnly: enabled === null ? null : enabled === '1', fsync };
        }),
      ),

    async fsyncAlways() {
      try {
        const all = await Promise.all(
          connection.servers().map(async ({ client: server }) => {
            // Names and values in turn.
            const settings: string[] = await server.config('GET', 'append*');
            const setting = (name: string): string | undefined => settings[settings.indexOf(name) + 1];
            return setting('appendonly') === 'yes' && setting('appendfsync') === 'always';
          }),
        );
        return all.every(Boolean);
      } catch (error) {
        return refusedAs(null, error);
      }
    },
  };
}

/** The best of its servers. A server takes no write for a key that is not its own, so it is only asked what it is. */
async function conditionOfCluster(connection: RedisConnection): Promise<RedisCondition> {
  const all = await Promise.all(
    connection.servers().map(async ({ client }): Promise<RedisCondition> => {
      try {
        const info = await client.info('replication', 'persistence');
        if (infoField(info, 'loading') === '1') return 'loading';
        if (infoField(info, 'role') !== 'master') return 'replica';
        return infoField(info, 'aof_last_write_status') === 'err' ? 'persistence' : 'up';
      } catch (error) {
        return conditionOf(error);
      }
    }),
  );
  return all.find((condition) => condition === 'up') ?? all[0] ?? 'down';
}

/** Whether the connection knows which server it is joined to, and may use it; claims and admissions need its id. */
function conditionOfServer(connection: RedisConnection): RedisCondition {
  try {
    return connection.runOf(COUPON_INDEX) === '' ? 'refused' : 'up';
  } catch (error) {
    return error instanceof CouponError && error.kind === 'usage' ? 'refused' : 'down';
  }
}

function conditionOf(error: unknown): RedisCondition {
  if (error instanceof CouponError) return error.kind === 'usage' ? 'refused' : 'down';
  const { name, message } = error as Error;
  const known = REFUSALS.find(([pattern]) => pattern.test(message));
  if (known) return known[1];
  return name === 'ReplyError' ? 'refused' : 'down';
}
