import type { AuditReader } from '../../audit/ports.ts';
import { chunked } from '../../lib/chunked.ts';
import type { UserSource } from '../../campaign/ports/redis-reader.ts';
import type { RedisConnection } from './connection.ts';
import {
  ANY_COUPON_PATTERN,
  couponKeys,
  couponOfKey,
  FOREIGN_PATTERNS,
  isForeignKey,
  issuedPattern,
  userOfIssuedKey,
  withoutPrefix,
  withPrefix,
  type CouponKeys,
  type KeyStyle,
} from './keys.ts';
import { toText } from './members.ts';
import { scanAll, scanAllBytes } from './scan.ts';
import { couponFault } from './wrong-type.ts';

const WALK_COUNT = 1_000;

/** Walks over the users of a coupon, and over all keys. Members and keys are read as bytes: another service may write any. */
export function redisWalks(
  connection: RedisConnection,
  style: KeyStyle,
): Pick<AuditReader, 'walk' | 'keyCount' | 'scanCoupons' | 'scanIssued' | 'scanForeign' | 'issuedKey'> {
  const { prefix } = connection;

  async function* guarded<T>(stream: AsyncIterable<T>, keys?: CouponKeys): AsyncGenerator<T> {
    try {
      yield* stream;
    } catch (error) {
      throw keys ? await couponFault(connection, keys, error) : connection.explain(error);
    }
  }

  return {
    async *walk(couponId, source) {
      const keys = couponKeys(couponId, style);
      for await (const chunk of guarded(walkStream(connection, keys, source), keys)) {
        const userIds = chunk.filter((_, index) => index % 2 === 0).map(toText);
        // A small hash comes as a whole, whatever COUNT says.
        yield* chunked(userIds, WALK_COUNT);
      }
    },

    async *scanIssued(couponId, only) {
      const match = withPrefix(prefix, issuedPattern(couponId, style));
      const options = { match, count: WALK_COUNT, ...(only ? { type: 'hash' } : {}) };
      for await (const chunk of guarded(scanAllBytes(connection, options))) {
        if (chunk.length > 0) yield chunk.map((key) => userOfIssuedKey(withoutPrefix(prefix, toText(key)), couponId, style));
      }
    },

    async keyCount() {
      try {
        const counts = await Promise.all(connection.everyServer().map((server) => server.dbsize()));
        return counts.reduce((sum, count) => sum + count, 0);
      } catch (error) {
        if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return null;
        throw connection.explain(error);
      }
    },

    async scanCoupons() {
      const found = new Set<string>();
      for await (const chunk of guarded(scanAll(connection, { match: withPrefix(prefix, ANY_COUPON_PATTERN), count: WALK_COUNT }))) {
        for (const key of chunk) {
          const couponId = couponOfKey(withoutPrefix(prefix, key), style);
          if (couponId !== null) found.add(couponId);
        }
      }
      return [...found].toSorted();
    },

    issuedKey: (couponId, userId) => couponKeys(couponId, style).issued(userId),

    async *scanForeign() {
      for (const match of FOREIGN_PATTERNS) {
        // Latin-1: the pattern of a serialised key begins with bytes that are no text.
        const options = { match: Buffer.from(withPrefix(prefix, match), 'latin1') as unknown as string, count: WALK_COUNT };
        for await (const chunk of guarded(scanAllBytes(connection, options))) {
          const found = chunk.map(toText).filter(isForeignKey);
          if (found.length > 0) yield found;
        }
      }
    },
  };
}

function walkStream({ client }: RedisConnection, keys: CouponKeys, source: UserSource): AsyncIterable<Buffer[]> {
  const options = { count: WALK_COUNT };
  switch (source) {
    case 'waiting':
      return client.zscanBufferStream(keys.queue, options) as AsyncIterable<Buffer[]>;
    case 'leases':
      return client.zscanBufferStream(keys.leases, options) as AsyncIterable<Buffer[]>;
    default:
      return client.hscanBufferStream(keys[source], options) as AsyncIterable<Buffer[]>;
  }
}
