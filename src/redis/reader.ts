import type { ChainableCommander } from 'ioredis';
import type { QueueEntry, RedisCoupon, RedisReader, RedisUser, UserSource } from '../app/ports.ts';
import type { RedisConnection } from './connection.ts';
import { COUPON_INDEX, couponKeys, issuedPattern, userOfIssuedKey, type CouponKeys, type KeyStyle } from './keys.ts';

const WALK_COUNT = 1_000;

/** Reads for inspect, audit and the status route. Nothing here writes. */
export function redisReader(connection: RedisConnection, style: KeyStyle): RedisReader {
  const { client } = connection;

  /** Runs a transaction and returns its replies; with `maxRetriesPerRequest: 0` a lost link shows as errors in the slots. */
  const all = async (commands: ChainableCommander): Promise<unknown[]> => {
    try {
      const replies = await commands.exec();
      return (replies ?? []).map(([error, value]) => {
        if (error) throw error;
        return value;
      });
    } catch (error) {
      throw connection.explain(error);
    }
  };
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw connection.explain(error);
    }
  };
  async function* guarded<T>(stream: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* stream;
    } catch (error) {
      throw connection.explain(error);
    }
  }

  const users = async (couponId: string, userIds: readonly string[]): Promise<RedisUser[]> => {
    if (userIds.length === 0) return [];
    const keys = couponKeys(couponId, style);
    const commands = connection
      .together()
      .hmget(keys.admitted, ...userIds)
      .zmscore(keys.queue, ...userIds)
      .zmscore(keys.leases, ...userIds)
      .hmget(keys.claims, ...userIds)
      .hmget(keys.dead, ...userIds);
    for (const userId of userIds) commands.hgetall(keys.issued(userId));
    const [admitted, waiting, leases, claims, dead, ...issued] = (await all(commands)) as [
      (string | null)[],
      (string | null)[],
      (string | null)[],
      (string | null)[],
      (string | null)[],
      ...Record<string, string>[],
    ];
    return userIds.map((userId, i) => ({
      userId,
      admitted: parseAdmitted(admitted[i]),
      waiting: toScore(waiting[i]),
      position: null,
      leaseDeadlineMs: toNumber(leases[i]),
      claim: parseClaim(claims[i]),
      dead: dead[i] ?? null,
      issued: issued[i] && Object.keys(issued[i]).length > 0 ? issued[i] : null,
    }));
  };

  return {
    async coupon(couponId) {
      const keys = couponKeys(couponId, style);
      const replies = await all(
        connection
          .together()
          .hgetall(keys.coupon)
          .hlen(keys.admitted)
          .zcard(keys.queue)
          .zcard(keys.leases)
          .hlen(keys.dead)
          .zrange(keys.queue, 0, '0', 'WITHSCORES'),
      );
      const [hash, admitted, waiting, claimed, dead, oldest] = replies as [
        Record<string, string>,
        number,
        number,
        number,
        number,
        string[],
      ];
      if (Object.keys(hash).length === 0) return null;
      return toCoupon(couponId, hash, { admitted, waiting, claimed, dead, oldestScore: toScore(oldest.flat()[1]) });
    },

    indexed: async () => (await guard(client.smembers(COUPON_INDEX))).toSorted(),

    async queue(couponId, offset, limit): Promise<QueueEntry[]> {
      if (limit <= 0) return [];
      const { queue } = couponKeys(couponId, style);
      const flat = (await guard(client.zrange(queue, offset, String(offset + limit - 1), 'WITHSCORES'))).flat();
      const entries: QueueEntry[] = [];
      for (let i = 0; i < flat.length; i += 2)
        entries.push({ userId: flat[i]!, score: toScore(flat[i + 1]) ?? 0, position: offset + i / 2 });
      return entries;
    },

    users,

    async user(couponId, userId) {
      const [user, position] = await Promise.all([
        users(couponId, [userId]),
        guard(client.zrank(couponKeys(couponId, style).queue, userId)),
      ]);
      return { ...user[0]!, position };
    },

    async *walk(couponId, source) {
      const keys = couponKeys(couponId, style);
      for await (const chunk of guarded(walkStream(connection, keys, source))) {
        const userIds = chunk.filter((_, index) => index % 2 === 0);
        // A small hash comes in one piece, whatever COUNT says.
        for (let from = 0; from < userIds.length; from += WALK_COUNT) yield userIds.slice(from, from + WALK_COUNT);
      }
    },

    async *scanIssued(couponId) {
      const match = issuedPattern(couponId, style);
      for await (const chunk of guarded(client.scanStream({ match, count: WALK_COUNT }) as AsyncIterable<string[]>)) {
        if (chunk.length > 0) yield chunk.map((key) => userOfIssuedKey(key, couponId, style));
      }
    },

    async now() {
      const [seconds, micros] = (await guard(client.time())).map(Number) as [number, number];
      return seconds * 1_000 + Math.floor(micros / 1_000);
    },
  };
}

function walkStream(connection: RedisConnection, keys: CouponKeys, source: UserSource): AsyncIterable<string[]> {
  const { client } = connection;
  const options = { count: WALK_COUNT };
  switch (source) {
    case 'waiting':
      return client.zscanStream(keys.queue, options) as AsyncIterable<string[]>;
    case 'leases':
      return client.zscanStream(keys.leases, options) as AsyncIterable<string[]>;
    default:
      return client.hscanStream(keys[source], options) as AsyncIterable<string[]>;
  }
}

function toCoupon(
  couponId: string,
  hash: Record<string, string>,
  counts: Pick<RedisCoupon, 'admitted' | 'waiting' | 'claimed' | 'dead' | 'oldestScore'>,
): RedisCoupon {
  return {
    couponId,
    name: hash['name'] ?? '',
    total: toNumber(hash['total']),
    stock: toNumber(hash['stock']),
    returned: toNumber(hash['returned']) ?? 0,
    state: hash['state'] ?? '',
    suspect: hash['suspect'] ?? '',
    epoch: hash['epoch'] ?? '',
    version: toNumber(hash['version']) ?? 0,
    opensAt: hash['opens_at'] ?? '',
    closesAt: hash['closes_at'] ?? '',
    expiresAt: hash['ex_date'] ?? '',
    validFor: hash['valid_for'] ?? '',
    fence: toNumber(hash['fence']) ?? 0,
    acked: toNumber(hash['acked']) ?? 0,
    ...counts,
  };
}

function toNumber(text: string | number | null | undefined): number | null {
  if (text === null || text === undefined || text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** A score may be infinite, which Redis spells in a way of its own: another service may have written any. */
function toScore(text: string | number | null | undefined): number | null {
  if (text === 'inf' || text === '-inf') return text === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return typeof text === 'number' ? text : toNumber(text);
}

function parseAdmitted(record: string | null | undefined): RedisUser['admitted'] {
  if (record === null || record === undefined) return null;
  const colon = record.indexOf(':');
  return colon < 0
    ? { score: toScore(record) ?? 0, requestId: '' }
    : { score: toScore(record.slice(0, colon)) ?? 0, requestId: record.slice(colon + 1) };
}

function parseClaim(record: string | null | undefined): RedisUser['claim'] {
  const [fence, worker, score, leaseMs, deliveries, faults] = (record ?? '').split(':');
  if (faults === undefined) return null;
  return {
    fence: Number(fence),
    worker: worker ?? '',
    score: toScore(score) ?? 0,
    leaseMs: Number(leaseMs),
    deliveries: Number(deliveries),
    faults: Number(faults),
  };
}
