import type { QueueEntry, RedisCoupon, RedisReader, RedisUser, UserSource } from '../../campaign/ports.ts';
import type { RedisConnection } from './connection.ts';
import { COUPON_INDEX, couponKeys, issuedPattern, userOfIssuedKey, type CouponKeys, type KeyStyle } from './keys.ts';
import { repliesOf } from './replies.ts';
import { runScript } from './script.ts';
import { userRecords, type UserRecords } from './user-records.ts';

const WALK_COUNT = 1_000;
/** Users in one script. */
const USERS_AT_ONCE = 250;

/** Reads for inspect, audit and the status route. Nothing here writes. */
export function redisReader(connection: RedisConnection, style: KeyStyle): RedisReader {
  const { client } = connection;

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

  /** In parts that a script may look at. All leave at once: whatever this connection is asked next comes after them. */
  const inParts = <T, R>(items: readonly T[], look: (part: readonly T[]) => Promise<R>): Promise<R[]> => {
    const parts: Promise<R>[] = [];
    for (let from = 0; from < items.length; from += USERS_AT_ONCE) parts.push(look(items.slice(from, from + USERS_AT_ONCE)));
    return guard(Promise.all(parts));
  };

  const users = async (couponId: string, userIds: readonly string[]): Promise<RedisUser[]> => {
    const keys = couponKeys(couponId, style);
    const parts = await inParts(userIds, async (part) => {
      const records = await userRecords(connection, keys, part);
      return part.map((userId, i) => toUser(userId, records, i));
    });
    return parts.flat();
  };

  return {
    async coupon(couponId) {
      const keys = couponKeys(couponId, style);
      const replies = await guard(
        repliesOf(
          connection
            .together()
            .hgetall(keys.coupon)
            .hlen(keys.admitted)
            .zcard(keys.queue)
            .zcard(keys.leases)
            .hlen(keys.dead)
            .zrange(keys.queue, 0, '0', 'WITHSCORES'),
        ),
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

    async agree(couponId, rows) {
      const keys = couponKeys(couponId, style);
      const parts = await inParts(rows, async (part) => {
        const userIds = part.map((row) => row.userId);
        const args = part.flatMap((row) => [row.userId, row.text]);
        return (await runScript(client, 'agree', keys, userIds, [couponId, ...args])) as [string[], string[]];
      });
      return { differing: parts.flatMap(([differing]) => differing), adopted: parts.flatMap(([, adopted]) => adopted) };
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

function toUser(userId: string, records: UserRecords, i: number): RedisUser {
  const entry = (list: UserRecords['dead']): string | null => (typeof list[i] === 'string' ? list[i] : null);
  const hash = records.issued[i];
  return {
    userId,
    admitted: parseAdmitted(entry(records.admitted)),
    waiting: toScore(records.waiting[i]),
    position: null,
    leaseDeadlineMs: toNumber(records.leases[i]),
    claim: parseClaim(entry(records.claims)),
    dead: entry(records.dead),
    issued: hash ? fieldsOf(hash) : null,
  };
}

function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  return fields;
}

function toNumber(text: string | number | false | null | undefined): number | null {
  if (text === null || text === undefined || text === false || text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** A score may be infinite, which Redis spells in a way of its own: another service may have written any. */
function toScore(text: string | number | false | null | undefined): number | null {
  if (text === 'inf' || text === '-inf') return text === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return typeof text === 'number' ? text : toNumber(text);
}

function parseAdmitted(record: string | null): RedisUser['admitted'] {
  if (record === null) return null;
  const colon = record.indexOf(':');
  return colon < 0
    ? { score: toScore(record) ?? 0, requestId: '' }
    : { score: toScore(record.slice(0, colon)) ?? 0, requestId: record.slice(colon + 1) };
}

function parseClaim(record: string | null): RedisUser['claim'] {
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
