import type { Redis } from 'ioredis';
import type { AuditReader } from '../../audit/ports.ts';
import { chunked } from '../../lib/chunked.ts';
import type { QueueEntry, RedisCoupon, RedisUser } from '../../campaign/ports/redis-reader.ts';
import type { RedisConnection } from './connection/connection.ts';
import { wholeNumber } from '../../lib/text/serialised.ts';
import { COUPON_INDEX, couponKeys, type CouponKeys, type KeyStyle } from './keys/keys.ts';
import { toBytes, toText } from './keys/members.ts';
import { queueTimes } from './queue-times.ts';
import { repliesOf, toNumber } from './keys/replies.ts';
import { suspectOf, unreadableNumbers } from './suspect-of.ts';
import { runScript } from './script.ts';
import { userRecords, type UserRecords } from './user-records.ts';
import { redisWalks } from './walks.ts';
import { couponFault, wrongTypeOf } from './keys/wrong-type.ts';

/** Users in one script. */
const USERS_AT_ONCE = 250;

/** Reads for inspect, audit and the status route. Nothing here writes. */
export function redisReader(connection: RedisConnection, style: KeyStyle): AuditReader {
  const { client } = connection;

  const guard = async <T>(keys: CouponKeys, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw await couponFault(connection, keys, error);
    }
  };

  /** In parts that a script may look at. All leave at once: whatever this connection is asked next comes after them. */
  const inParts = <T, R>(keys: CouponKeys, items: readonly T[], look: (part: readonly T[]) => Promise<R>): Promise<R[]> => {
    return guard(keys, Promise.all(Array.from(chunked(items, USERS_AT_ONCE), look)));
  };

  const users = async (couponId: string, userIds: readonly string[]): Promise<RedisUser[]> => {
    const keys = couponKeys(couponId, style);
    const parts = await inParts(keys, userIds, async (part) => {
      const records = await userRecords(connection, keys, part);
      return part.map((userId, i) => toUser(userId, keys, records, i));
    });
    return parts.flat();
  };

  return {
    ...redisWalks(connection, style),

    serverOf: (couponId) => connection.addressOf(couponKeys(couponId, style).coupon),

    async coupon(couponId, stockField = null) {
      const keys = couponKeys(couponId, style);
      // The claims are read for their type alone: a coupon whose keys cannot be read is not to look well.
      const commands = connection.together().hgetall(keys.coupon).hlen(keys.admitted).zcard(keys.queue).zcard(keys.leases);
      commands.hlen(keys.dead).hlen(keys.claims);
      const replies = await guard(keys, repliesOf(commands));
      const [hash, admitted, waiting, claimed, dead] = replies as [Record<string, string>, number, number, number, number];
      if (Object.keys(hash).length === 0) return null;
      const coupon = toCoupon(couponId, hash, { admitted, waiting, claimed, dead });
      return coupon.epoch === '' && stockField !== null ? { ...coupon, stock: wholeNumber(hash[stockField] ?? '') } : coupon;
    },

    async indexed() {
      try {
        return (await client.smembers(COUPON_INDEX)).toSorted();
      } catch (error) {
        throw (await wrongTypeOf(connection, error, [{ key: COUPON_INDEX, type: 'set' }])) ?? connection.explain(error);
      }
    },

    async queue(couponId, offset, limit): Promise<QueueEntry[]> {
      if (limit <= 0) return [];
      const keys = couponKeys(couponId, style);
      const reply = await guard(keys, client.zrangeBuffer(keys.queue, offset, String(offset + limit - 1), 'WITHSCORES'));
      const flat = (reply as unknown[]).flat() as (Buffer | number)[];
      const entries: QueueEntry[] = [];
      for (let i = 0; i < flat.length; i += 2) {
        const score = flat[i + 1]!;
        const position = offset + i / 2;
        entries.push({
          userId: toText(flat[i] as Buffer),
          score: toScore(typeof score === 'number' ? score : String(score)) ?? 0,
          position,
        });
      }
      return entries;
    },

    users,

    async user(couponId, userId) {
      const keys = couponKeys(couponId, style);
      const [user, position] = await Promise.all([users(couponId, [userId]), guard(keys, client.zrank(keys.queue, toBytes(userId)))]);
      return { ...user[0]!, position };
    },

    async queueTimes(couponId, nowMs) {
      const keys = couponKeys(couponId, style);
      return guard(keys, queueTimes(connection, keys.queue, nowMs));
    },

    async leases(couponId, limit) {
      const keys = couponKeys(couponId, style);
      const flat = (await guard(keys, runScript(client, 'read-leases', keys, [], [limit]))) as (number | string)[];
      return Array.from(chunked(flat, 3), ([held, deadline, record]) => {
        const claim = parseClaim(String(record));
        return { worker: claim?.worker ?? '', fence: claim?.fence ?? null, users: Number(held), deadlineMs: Number(deadline) };
      });
    },

    async compareRows(couponId, rows) {
      const keys = couponKeys(couponId, style);
      const parts = await inParts(keys, rows, async (part) => {
        const userIds = part.map((row) => row.userId);
        const args = part.flatMap((row) => [row.userId, row.text]);
        return (await runScript(client, 'compare-rows', keys, userIds, [couponId, ...args])) as [string[], string[]];
      });
      return { differing: parts.flatMap(([differing]) => differing), adopted: parts.flatMap(([, adopted]) => adopted) };
    },

    async now() {
      try {
        const [seconds, micros] = (await anyServer(connection).time()).map(Number) as [number, number];
        return seconds * 1_000 + Math.floor(micros / 1_000);
      } catch (error) {
        throw connection.explain(error);
      }
    },
  };
}

function toCoupon(
  couponId: string,
  hash: Record<string, string>,
  counts: Pick<RedisCoupon, 'admitted' | 'waiting' | 'claimed' | 'dead'>,
): RedisCoupon {
  return {
    couponId,
    name: hash['name'] ?? '',
    total: toNumber(hash['total']),
    stock: toNumber(hash['stock']),
    returned: toNumber(hash['returned']) ?? 0,
    givenBack: toNumber(hash['given_back']) ?? 0,
    state: hash['state'] ?? '',
    suspect: suspectOf(hash),
    unreadableNumbers: unreadableNumbers(hash),
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

function toUser(userId: string, keys: CouponKeys, records: UserRecords, i: number): RedisUser {
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
    issued: Array.isArray(hash) ? fieldsOf(hash) : null,
    occupied: typeof hash === 'string' ? { key: keys.issued(userId), found: hash, expected: 'hash' } : null,
  };
}

function fieldsOf(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  return fields;
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

/** For what any server can answer: one that is there. */
function anyServer(connection: RedisConnection): Redis {
  const servers = connection.servers().map((one) => one.client);
  return servers.find(({ status }) => status === 'ready') ?? connection.client;
}
