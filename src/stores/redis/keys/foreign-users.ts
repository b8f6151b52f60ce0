import { chunked } from '../../../lib/chunked.ts';
import { plainName } from '../../../bench/evidence/issued-row.ts';
import { SERIALISED } from '../../../campaign/ids.ts';
import { usageError } from '../../../lib/errors.ts';
import { printable } from '../../../lib/text/visible.ts';
import type { RedisConnection } from '../connection/connection.ts';

const CHUNK = 1_000;

/** How a key of each type names users, and how it is asked about some of them. */
const KINDS = {
  set: { scan: 'sscan', step: 1, count: 'scard' },
  zset: { scan: 'zscan', step: 2, count: 'zcard' },
  hash: { scan: 'hscan', step: 2, count: 'hlen' },
} as const;

type Kind = keyof typeof KINDS;

/**
 * Users as a key of another service names them, without what a serializer has put around them.
 *
 * @throws CouponError `FOREIGN_KEY_TYPE` for a member that holds no user id: it would be reported as a stranger
 */
export function namesIn(key: string, members: readonly string[]): string[] {
  return members.map((member) => {
    // What is no text comes as U+FFFD.
    const name = /[\p{Cc}\uFFFD]/u.test(member) ? null : plainName(member);
    if (name !== null) return name;
    throw usageError(
      'FOREIGN_KEY_TYPE',
      `a member of "${key}" is "${printable(member, 60)}", which names no user`,
      `It ${SERIALISED}; or leave the key out of verify.redis.keys.`,
    );
  });
}

/** How the serializers of Spring write the id of a user. */
function spellings(userId: string): string[] {
  return [userId, JSON.stringify(userId), `["java.lang.Long",${userId}]`];
}

/** One key of another service with all issued users: members of a set or sorted set, or fields of a hash. Absent: nobody yet. */
export function usersIn(connection: RedisConnection, key: string) {
  const { client } = connection;
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw connection.explain(error);
    }
  };
  const kind = (): Promise<Kind | null> =>
    explained(async () => {
      const type = await client.type(key);
      if (type === 'none') return null;
      if (type in KINDS) return type as Kind;
      throw usageError(
        'FOREIGN_KEY_TYPE',
        `verify.redis.keys.issuedUsers: "${key}" is a ${type}, expected a set, a sorted set or a hash`,
        'Name a key of that type, or leave it out.',
      );
    });
  return {
    async count(): Promise<number> {
      const type = await kind();
      return type === null ? 0 : await explained(() => client[KINDS[type].count](key));
    },

    async among(userIds: readonly string[]): Promise<string[]> {
      const type = await kind();
      if (type === null) return [];
      return await explained(async () => {
        const found: string[] = [];
        for (const chunk of chunked(userIds, CHUNK)) {
          const each = spellings('').length;
          const there = await presence(type, chunk.flatMap(spellings));
          chunk.forEach((userId, index) => {
            if (there.slice(index * each, (index + 1) * each).includes(true)) found.push(userId);
          });
        }
        return found;
      });
    },

    /** Every user, in chunks. */
    async *all(): AsyncGenerator<string[]> {
      const type = await kind();
      if (type === null) return;
      const { scan, step } = KINDS[type];
      let cursor = '0';
      do {
        const [next, items] = await explained(() => client[scan](key, cursor, 'COUNT', CHUNK));
        cursor = next;
        yield namesIn(
          key,
          items.filter((_, index) => index % step === 0),
        );
      } while (cursor !== '0');
    },
  };

  async function presence(type: Kind, userIds: readonly string[]): Promise<boolean[]> {
    if (type === 'set') return (await client.smismember(key, ...userIds)).map((one) => one === 1);
    const values = type === 'zset' ? await client.zmscore(key, ...userIds) : await client.hmget(key, ...userIds);
    return values.map((value) => value !== null);
  }
}
