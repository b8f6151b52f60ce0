import type { RedisConnection } from './connection.ts';
import type { CouponKeys } from './keys.ts';
import { repliesOf } from './replies.ts';
import { runScript } from './script.ts';

/** What Redis keeps about some users, list by list and in their order; false or null: nothing there. */
export interface UserRecords {
  admitted: (string | false | null)[];
  /** Scores; single commands give them as numbers. */
  waiting: (string | number | false | null)[];
  leases: (string | number | false | null)[];
  claims: (string | false | null)[];
  dead: (string | false | null)[];
  /** Field, value, field, value… of the issued hash. */
  issued: (string[] | false)[];
}

/**
 * All of them as they are at one instant, unless this connection may only read: a user with `+@read` runs no scripts. The many
 * replies of single commands cost this process four times as much as the one of `look.lua`.
 *
 * @param userIds up to 250
 */
export async function userRecords(connection: RedisConnection, keys: CouponKeys, userIds: readonly string[]): Promise<UserRecords> {
  return connection.readOnly ? byCommands(connection, keys, userIds) : byScript(connection, keys, userIds);
}

async function byScript({ client }: RedisConnection, keys: CouponKeys, userIds: readonly string[]): Promise<UserRecords> {
  return JSON.parse((await runScript(client, 'look', keys, userIds, userIds)) as string) as UserRecords;
}

async function byCommands({ client }: RedisConnection, keys: CouponKeys, userIds: readonly string[]): Promise<UserRecords> {
  const commands = client
    .pipeline()
    .hmget(keys.admitted, ...userIds)
    .zmscore(keys.queue, ...userIds)
    .zmscore(keys.leases, ...userIds)
    .hmget(keys.claims, ...userIds)
    .hmget(keys.dead, ...userIds);
  for (const userId of userIds) commands.hgetall(keys.issued(userId));
  const [admitted, waiting, leases, claims, dead, ...hashes] = (await repliesOf(commands)) as [
    UserRecords['admitted'],
    UserRecords['waiting'],
    UserRecords['leases'],
    UserRecords['claims'],
    UserRecords['dead'],
    ...Record<string, string>[],
  ];
  const issued = hashes.map((hash) => {
    const flat = Object.entries(hash).flat();
    return flat.length > 0 && flat;
  });
  return { admitted, waiting, leases, claims, dead, issued };
}
