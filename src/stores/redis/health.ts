import type { RedisHealth } from '../../campaign/ports/health.ts';
import { CouponError } from '../../lib/errors.ts';
import type { RedisCondition } from '../../campaign/readiness.ts';
import type { RedisConnection } from './connection.ts';
import { COUPON_INDEX } from './keys.ts';

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

/** On the connection that the work itself goes over: a fresh one could be well while that one is stuck. */
export function redisHealth(connection: RedisConnection): RedisHealth {
  const { client } = connection;
  /** Hosted servers keep some commands from their users. */
  const refusedAs = <T>(instead: T, error: unknown): T => {
    if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return instead;
    throw connection.explain(error);
  };
  return {
    async condition() {
      const [info, write] = await Promise.allSettled([
        // Not in a pipeline: INFO alone is let through while Redis is loading.
        client.info('replication', 'persistence'),
        // A write that has nothing to do: nothing is logged or replicated, but it is refused whenever any other would be.
        client.srem(COUPON_INDEX, NOBODY),
      ]);
      if (info.status === 'rejected') return conditionOf(info.reason);
      const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info.value)?.[1] ?? '';
      if (field('loading') === '1') return 'loading';
      // A replica may be set to take writes; they would be lost.
      if (field('role') !== 'master') return field('master_link_status') === 'up' ? 'replica' : 'masterdown';
      if (field('aof_last_write_status') === 'err') return 'persistence';
      // A key of a wrong type: the write got through to it, so others get through to theirs.
      const refused = write.status === 'rejected' && !(write.reason as Error).message.startsWith('WRONGTYPE');
      if (refused) return conditionOf(write.reason);
      return conditionOfServer(connection);
    },

    async durability() {
      const [info, fsync] = await Promise.all([
        client.info('memory', 'persistence').catch((error: unknown) => refusedAs('', error)),
        client.config('GET', 'appendfsync').then(
          (settings) => settings[1] ?? null,
          (error: unknown) => refusedAs(null, error),
        ),
      ]);
      const field = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null;
      const enabled = field('aof_enabled');
      return { evictionPolicy: field('maxmemory_policy'), appendOnly: enabled === null ? null : enabled === '1', fsync };
    },

    async fsyncAlways() {
      try {
        // Names and values in turn.
        const settings: string[] = await client.config('GET', 'append*');
        const setting = (name: string): string | undefined => settings[settings.indexOf(name) + 1];
        return setting('appendonly') === 'yes' && setting('appendfsync') === 'always';
      } catch (error) {
        return refusedAs(null, error);
      }
    },
  };
}

/** Whether the connection knows which server it is joined to, and may use it; claims and admissions need its id. */
function conditionOfServer(connection: RedisConnection): RedisCondition {
  try {
    return connection.run === '' ? 'refused' : 'up';
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
