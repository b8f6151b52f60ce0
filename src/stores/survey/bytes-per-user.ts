import { randomUUID } from 'node:crypto';
import { number } from '../../lib/text/figures.ts';
import type { BytesPerUser } from '../../operate/doctor/ports.ts';
import type { RedisConnection } from '../redis/connection/connection.ts';
import { COUPON_INDEX, couponKeys, type KeyStyle } from '../redis/keys/keys.ts';

/** An accepted user in the record and in the queue, and an issued one; 64-bit jemalloc, ids of 11 characters. */
const FIGURE = { accepted: 205, issued: 340 };
const PROBE_USERS = 1_000;
/** Smaller hashes are packed, and say nothing about large ones. */
const LEAST_SAMPLE = 600;
const COUPONS_LOOKED_AT = 20;

/**
 * What one user costs in Redis, from the users that are there. Nothing is written.
 *
 * @throws CouponError of kind `unreachable`
 */
export async function sampledBytes(connection: RedisConnection, style: KeyStyle): Promise<BytesPerUser> {
  const { client } = connection;
  try {
    const ids = (await client.smembers(COUPON_INDEX)).toSorted().slice(0, COUPONS_LOOKED_AT);
    for (const id of ids) {
      const keys = couponKeys(id, style);
      const users = await client.hlen(keys.admitted);
      if (users < LEAST_SAMPLE) continue;
      const perAccepted = ((await client.memory('USAGE', keys.admitted, 'SAMPLES', 100)) ?? 0) / users;
      const waiting = await client.zcard(keys.queue);
      const perWaiting = waiting < LEAST_SAMPLE ? 0 : ((await client.memory('USAGE', keys.queue, 'SAMPLES', 100)) ?? 0) / waiting;
      const issued = await issuedBytes(connection, keys);
      return {
        bytes: Math.ceil(perAccepted + perWaiting + (issued ?? FIGURE.issued)),
        from: 'sample',
        detail: `MEMORY USAGE of ${number(users)} users of coupon ${id}${issued === null ? `, and ${FIGURE.issued} for an issued one, of which there is none` : ''}`,
      };
    }
  } catch (error) {
    if (!isRefusal(error)) throw connection.explain(error);
    return figure('this user may not run MEMORY USAGE on the users that are there');
  }
  return figure(`no coupon has ${LEAST_SAMPLE} users yet; --probe measures`);
}

function figure(why: string): BytesPerUser {
  const { accepted, issued } = FIGURE;
  return { bytes: accepted + issued, from: 'figure', detail: `measured elsewhere: ${accepted} accepted, ${issued} issued; ${why}` };
}

async function issuedBytes({ client }: RedisConnection, keys: ReturnType<typeof couponKeys>): Promise<number | null> {
  const [, found] = await client.hscan(keys.admitted, '0', 'COUNT', 100);
  const users = found.filter((_, i) => i % 2 === 0);
  const sizes = await Promise.all(users.map(async (user) => client.memory('USAGE', keys.issued(user))));
  const issued = sizes.filter((size) => size !== null);
  return issued.length === 0 ? null : issued.reduce((sum, size) => sum + size + ENTRY, 0) / issued.length;
}

/** Of the table of all keys, which MEMORY USAGE does not count. */
const ENTRY = 64;

/**
 * The same from users who are written, measured and removed within one transaction: nobody sees them, and nothing of them can stay.
 *
 * @throws CouponError of kind `unreachable`
 */
export async function probedBytes(connection: RedisConnection, style: KeyStyle): Promise<BytesPerUser> {
  const keys = couponKeys(`doctor-${randomUUID()}`, style);
  const user = (i: number): string => `user-${100_000 + i}`;
  const score = (Date.now() * 1_000).toString();
  const admitted = Array.from({ length: PROBE_USERS }, (_, i) => [user(i), `${score}:${i.toString(36).padStart(12, '0')}`]).flat();
  const queue = Array.from({ length: PROBE_USERS }, (_, i) => [Number(score) + i, user(i)]).flat();
  const time = new Date().toISOString();
  const issued = { userId: user(0), couponId: 'doctor', ex_date: time, used_at: '', requested_at: time, issued_at: time };
  try {
    const replies = await connection.client
      .multi()
      .hset(keys.admitted, ...admitted)
      .zadd(keys.queue, ...queue)
      .hset(keys.issued(user(0)), issued)
      .memory('USAGE', keys.admitted, 'SAMPLES', 0)
      .memory('USAGE', keys.queue, 'SAMPLES', 0)
      .memory('USAGE', keys.issued(user(0)))
      .unlink(keys.admitted)
      .unlink(keys.queue)
      .unlink(keys.issued(user(0)))
      .exec();
    const [perAdmitted = 0, perQueue = 0, perIssued = 0] = (replies ?? []).slice(3, 6).map(([, size]) => Number(size));
    return {
      bytes: Math.ceil((perAdmitted + perQueue) / PROBE_USERS + perIssued + ENTRY),
      from: 'probe',
      detail: `MEMORY USAGE of ${number(PROBE_USERS)} users that were written and removed, ids of 11 characters`,
    };
  } catch (error) {
    if (!isRefusal(error)) throw connection.explain(error);
    return figure('Redis refused the probe');
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(NOPERM|ERR|EXECABORT|READONLY|OOM|WRONGTYPE)/.test(error.message);
}
