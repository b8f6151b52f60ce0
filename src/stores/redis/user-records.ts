import type { RedisConnection } from './connection/connection.ts';
import type { CouponKeys } from './keys/keys.ts';
import { toBytes } from './keys/members.ts';
import { repliesOf } from './keys/replies.ts';
import { runScript } from './script.ts';

/** What Redis keeps about some users, list by list and in their order; false or null: nothing there. */
export interface UserRecords {
  admitted: (string | false | null)[];
  /** Scores; single commands give them as numbers. */
  waiting: (string | number | false | null)[];
  leases: (string | number | false | null)[];
  claims: (string | false | null)[];
  dead: (string | false | null)[];
  /** Field, value, field, value… of the issued hash; a text: the type that the key has instead. */
  issued: (string[] | string | false)[];
}

/**
 * All of them as they are at one instant, unless this connection may only read: a user with `+@read` runs no scripts. The many
 * replies of single commands cost this process four times as much as the one of `read-users.lua`.
 *
 * @param userIds up to 250
 */
export async function userRecords(connection: RedisConnection, keys: CouponKeys, userIds: readonly string[]): Promise<UserRecords> {
  return connection.readOnly ? byCommands(connection, keys, userIds) : byScript(connection, keys, userIds);
}

async function byScript({ client }: RedisConnection, keys: CouponKeys, userIds: readonly string[]): Promise<UserRecords> {
  return JSON.parse((await runScript(client, 'read-users', keys, userIds, userIds.map(toBytes))) as string) as UserRecords;
}

async function byCommands({ client }: RedisConnection, keys: CouponKeys, texts: readonly string[]): Promise<UserRecords> {
  const userIds = texts.map(toBytes);
  const commands = client
    .pipeline()
    .hmget(keys.admitted, ...userIds)
    .zmscore(keys.queue, ...userIds)
    .zmscore(keys.leases, ...userIds)
    .hmget(keys.claims, ...userIds)
    .hmget(keys.dead, ...userIds);
  const [admitted, waiting, leases, claims, dead] = (await repliesOf(commands)) as [
    UserRecords['admitted'],
    UserRecords['waiting'],
    UserRecords['leases'],
    UserRecords['claims'],
    UserRecords['dead'],
  ];
  return { admitted, waiting, leases, claims, dead, issued: await issuedByCommands(client, texts.map(keys.issued).map(toBytes)) };
}

async function issuedByCommands(client: RedisConnection['client'], keys: readonly (string | Buffer)[]): Promise<UserRecords['issued']> {
  const commands = client.pipeline();
  for (const key of keys) commands.hgetall(key).type(key);
  const replies = (await commands.exec()) ?? [];
  return keys.map((_, i) => {
    const [[error, hash], [failed, type]] = [replies[2 * i]!, replies[2 * i + 1]!];
    if (error && !error.message.startsWith('WRONGTYPE')) throw error;
    if (failed) throw failed;
    if (error) return type as string;
    const flat = Object.entries(hash as Record<string, string>).flat();
    return flat.length > 0 && flat;
  });
}
