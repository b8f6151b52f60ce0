import { chunked } from '../../../lib/chunked.ts';
import type { ForeignRedis } from '../../../bench/evidence/foreign-ports.ts';
import { fillTemplate, type ForeignKeys } from '../../../bench/scenario/verify.ts';
import { CouponError, usageError } from '../../../lib/errors.ts';
import type { RedisConnection } from '../connection/connection.ts';
import { printable } from '../../../lib/text/visible.ts';
import { namesIn, usersIn } from './foreign-users.ts';
import { escapeGlob, scanAll } from './scan.ts';
import { wrongTypeOf } from './wrong-type.ts';

const CHUNK = 1_000;
const TYPE_NAMES: Readonly<Record<string, string>> = { zset: 'sorted set' };

/**
 * The keys of another service, by templates. Reads with HMGET, ZCARD, ZSCAN, EXISTS and (for coupons that were used before)
 * SCAN: a user with `+@read` and access to these keys is enough, and `+select` where the database is not 0.
 */
export function foreignKeys(connection: RedisConnection, keys: ForeignKeys): ForeignRedis {
  const { client } = connection;
  /** A key of another type is a mistake in the scenario, or another service than it says. */
  const explained = async (error: unknown, name: 'coupon' | 'queue', couponId: string): Promise<CouponError> => {
    const wrong = await wrongTypeOf(connection, error, [{ key: key(name, couponId), type: name === 'coupon' ? 'hash' : 'zset' }]);
    if (!wrong) return connection.explain(error);
    const { found, expected } = wrong.wrong;
    return usageError(
      'FOREIGN_KEY_TYPE',
      `verify.redis.keys.${name}: "${wrong.wrong.key}" is a ${TYPE_NAMES[found] ?? found}, expected a ${TYPE_NAMES[expected] ?? expected}`,
      `Name a key of that type, or leave it out with \`${name}: null\`.`,
    );
  };
  const guard = async <T>(name: 'coupon' | 'queue', couponId: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw await explained(error, name, couponId);
    }
  };
  const key = (name: 'coupon' | 'queue' | 'issued', couponId: string, userId = ''): string =>
    fillTemplate(keys[name] ?? '', couponId, userId);

  return {
    has: {
      coupon: keys.coupon !== null || keys.stock !== null,
      queue: keys.queue !== null,
      issued: keys.issued !== null || keys.issuedUsers !== null,
      list: keys.issuedUsers !== null,
    },

    async coupon(couponId) {
      if (keys.stock !== null) return await stockIn(connection, fillTemplate(keys.stock, couponId));
      return await guard('coupon', couponId, async () => {
        const name = key('coupon', couponId);
        const [total, stock] = await client.hmget(name, keys.totalField, keys.stockField);
        if (total === null && stock === null && (await client.exists(name)) === 0) return null;
        return { total: numberIn(name, 'total', keys.totalField, total), stock: numberIn(name, 'stock', keys.stockField, stock) };
      });
    },

    waiting: (couponId) => guard('queue', couponId, () => client.zcard(key('queue', couponId))),

    async *queue(couponId) {
      const name = key('queue', couponId);
      try {
        for await (const chunk of client.zscanStream(name, { count: CHUNK }) as AsyncIterable<string[]>) {
          yield namesIn(
            name,
            chunk.filter((_, index) => index % 2 === 0),
          );
        }
      } catch (error) {
        if (error instanceof CouponError) throw error;
        throw await explained(error, 'queue', couponId);
      }
    },

    listed: async (couponId) =>
      keys.issuedUsers === null ? 0 : await usersIn(connection, fillTemplate(keys.issuedUsers, couponId)).count(),

    async issued(couponId, userIds) {
      if (keys.issuedUsers !== null) return await usersIn(connection, fillTemplate(keys.issuedUsers, couponId)).among(userIds);
      try {
        const found: string[] = [];
        for (const chunk of chunked(userIds, CHUNK)) {
          // The keys of a service need not lie on one server.
          const there = await Promise.all(chunk.map((userId) => client.exists(key('issued', couponId, userId))));
          found.push(...chunk.filter((_, index) => there[index] === 1));
        }
        return found;
      } catch (error) {
        throw connection.explain(error);
      }
    },

    async *scanIssued(couponId) {
      if (keys.issuedUsers !== null) {
        yield* usersIn(connection, fillTemplate(keys.issuedUsers, couponId)).all();
        return;
      }
      const [head = '', tail = ''] = fillTemplate(keys.issued ?? '', couponId, '\u0000').split('\u0000');
      const match = `${escapeGlob(head)}*${escapeGlob(tail)}`;
      try {
        for await (const chunk of scanAll(connection, { match, count: CHUNK })) {
          yield chunk.map((name) => name.slice(head.length, name.length - tail.length));
        }
      } catch (error) {
        throw connection.explain(error);
      }
    },
  };
}

/** @throws CouponError `FOREIGN_KEY_TYPE` for a key of another type, or a text that is no number */
async function stockIn(connection: RedisConnection, key: string): Promise<{ total: null; stock: number } | null> {
  const text = await connection.client.get(key).catch((error: Error) => {
    throw error.message.startsWith('WRONGTYPE') ? wrongStock(key, 'is no string') : connection.explain(error);
  });
  if (text === null) return null;
  const stock = toNumber(text);
  if (stock === null) throw wrongStock(key, `holds "${printable(text, 40)}", which is no whole number`);
  return { total: null, stock };
}

/** @throws CouponError `FOREIGN_KEY_TYPE` for a text that is no number, such as what a typed serializer writes: `["java.lang.Long",100]` */
function numberIn(key: string, role: string, field: string, text: string | null | undefined): number | null {
  const value = toNumber(text);
  if (value !== null || text === null || text === undefined) return value;
  throw usageError(
    'FOREIGN_KEY_TYPE',
    `verify.redis.keys.coupon: the field "${field}" of "${key}" holds "${printable(text, 40)}", which is no whole number`,
    `Let the service write plain numbers, name another field with verify.redis.fields.${role}, or leave the hash out with \`coupon: null\`.`,
  );
}

function wrongStock(key: string, what: string): CouponError {
  return usageError('FOREIGN_KEY_TYPE', `verify.redis.keys.stock: "${key}" ${what}`, 'Name the key of a string that holds what is left.');
}

function toNumber(text: string | null | undefined): number | null {
  if (text === null || text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
