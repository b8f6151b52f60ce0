import type { AuditReader } from '../../audit/ports.ts';
import { chunked } from '../../lib/chunked.ts';
import type { UserSource } from '../../campaign/ports/redis-reader.ts';
import type { RedisConnection } from './connection/connection.ts';
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
} from './keys/keys.ts';
import { toBytes, toText } from './keys/members.ts';
import { repliesOf } from './keys/replies.ts';
import { scanAll, scanAllBytes } from './keys/scan.ts';
import { couponFault } from './keys/wrong-type.ts';

const WALK_COUNT = 1_000;

/** Walks over the users of a coupon, and over all keys. Members and keys are read as bytes: another service may write any. */
export function redisWalks(
  connection: RedisConnection,
  style: KeyStyle,
): Pick<AuditReader, 'walk' | 'keyCount' | 'expiring' | 'scanCoupons' | 'scanIssued' | 'scanForeign' | 'issuedKey'> {
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

    async expiring(couponId, userIds) {
      const { issued, ...own } = couponKeys(couponId, style);
      const names = [...Object.values(own), ...userIds.map(issued)];
      const commands = connection.client.pipeline();
      for (const name of names) commands.pttl(toBytes(name));
      try {
        const found = (await repliesOf(commands)) as number[];
        const ttl = names.filter((_, index) => found[index]! >= 0);
        const isOwn = (name: string): boolean => Object.values(own).includes(name);
        const shown = (all: readonly string[]): string[] => all.map((name) => withPrefix(prefix, name));
        return { own: shown(ttl.filter(isOwn)), issued: shown(ttl.filter((name) => !isOwn(name))) };
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('NOPERM')) return { own: [], issued: [] };
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
