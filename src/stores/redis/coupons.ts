import type { UseHashes } from '../../campaign/ports/use.ts';
import type { Verification, VerifyResult } from '../../campaign/ports/verification.ts';
import type { ChangeStore, ResetStore, SeedCheck, SeedResult, SeedStore } from '../../operate/ports.ts';
import type { QueueScan } from '../../drain/ports.ts';
import { isoTime, type CouponDefinition } from '../../campaign/coupon.ts';
import { durationFlag } from '../../lib/duration.ts';
import type { RedisConnection } from './connection/connection.ts';
import type { CouponError } from '../../lib/errors.ts';
import {
  COUPON_INDEX,
  couponKeys,
  couponOfQueueKey,
  QUEUE_PATTERN,
  SERIALISED_QUEUE_PATTERNS,
  withoutPrefix,
  withPrefix,
  type KeyStyle,
} from './keys/keys.ts';
import { toBytes, toText } from './keys/members.ts';
import { scanAll, scanAllBytes } from './keys/scan.ts';
import { runScript } from './script.ts';
import { couponFault, wrongTypeOf } from './keys/wrong-type.ts';

const SCAN_COUNT = 1_000;

/** Sets coupons up and takes them away. */
export type CouponStore = SeedStore & ResetStore & ChangeStore & QueueScan;

/** Sets coupons up, checks them against the ledger, and takes them away. */
export function redisCoupons(connection: RedisConnection, style: KeyStyle): CouponStore & Verification & UseHashes {
  const { client } = connection;
  const guard =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await work(...args);
      } catch (error) {
        throw await explained(args, error);
      }
    };
  /** Each method is about a coupon, or its definition, or about none. */
  const explained = async ([about]: unknown[], error: unknown): Promise<CouponError> => {
    const couponId = typeof about === 'string' ? about : ((about as CouponDefinition | undefined)?.id ?? null);
    const index = await wrongTypeOf(connection, error, [{ key: COUPON_INDEX, type: 'set' }]);
    return index ?? (couponId === null ? connection.explain(error) : couponFault(connection, couponKeys(couponId, style), error));
  };

  return {
    index: guard(async (couponId) => {
      return (await client.sadd(COUPON_INDEX, couponId)) === 1;
    }),

    unindex: guard(async (couponId) => {
      await client.srem(COUPON_INDEX, couponId);
    }),

    checkSeed: guard(async (couponId, epoch): Promise<SeedCheck> => {
      const args = ['check', epoch ?? '', '', 0, 0];
      const [status, ...rest] = (await runScript(client, 'seed', couponKeys(couponId, style), [], args)) as string[];
      if (status === 'foreign') return { status, epoch: rest[0] ?? '' };
      if (status !== 'exists') return { status: status as 'free' | 'leftovers' };
      const [suspect = '', fence, version, stock, total, acked] = rest;
      const counted = [stock, total].every((text) => text !== undefined && text !== '' && Number.isFinite(Number(text)));
      return { status, suspect, fence: Number(fence) || 0, version: Number(version) || 0, counted, acked: Number(acked) || 0 };
    }),

    seed: guard(async (definition, life) => {
      const keys = couponKeys(definition.id, style);
      const args = ['write', life.epoch, connection.runOf(keys.coupon), life.version, definition.total, ...settingFields(definition)];
      return (await runScript(client, 'seed', keys, [], args)) as SeedResult;
    }),

    verify: guard(async (couponId, ledger): Promise<VerifyResult> => {
      const keys = couponKeys(couponId, style);
      const args = [connection.runOf(keys.coupon), ledger.epoch, ledger.maxFence, ledger.version];
      const [status, detail = ''] = (await runScript(client, 'verify', keys, [], args)) as string[];
      if (status === 'suspect') return { status, reason: detail };
      return status === 'ok' ? { status, acked: Number(detail) } : { status: 'gone' };
    }),

    takeBack: guard(async (coupon, latestUs) => {
      const keys = couponKeys(coupon.id, style);
      const { epoch, version, total, maxFence, minFence, returnedQuantity, sharedStockField, saleState } = coupon;
      const args = [
        epoch,
        connection.runOf(keys.coupon),
        version,
        total,
        maxFence,
        returnedQuantity,
        sharedStockField ?? '',
        saleState ?? '',
        minFence,
        latestUs,
      ];
      return (await runScript(client, 'rewritten', keys, [], [...args, ...settingFields(coupon)])) === 'ok';
    }),

    markSuspect: guard(async (couponId, epoch, reason) => {
      await runScript(client, 'suspect', couponKeys(couponId, style), [], [epoch, reason]);
    }),

    saleOf: guard(async (couponId) => {
      const keys = couponKeys(couponId, style);
      const [fields, waiting, claimed] = await Promise.all([
        client.hmget(keys.coupon, 'state', 'suspect', 'fence'),
        client.zcard(keys.queue),
        client.zcard(keys.leases),
      ]);
      return { state: fields[0] ?? 'open', suspect: fields[1] ?? '', waiting: waiting + claimed, fence: Number(fields[2]) || 0 };
    }),

    change: guard(async (definition, { epoch, version, add, givenBack, back, state }) => {
      const numbers = [definition.total, add, givenBack, back];
      // Another form of expiry takes the place of the one before.
      const cleared = ['ex_date', '', 'valid_for', ''];
      const args = [epoch, version, ...numbers, ...cleared, ...settingFields(definition), ...stateFields(state)];
      return (await runScript(client, 'change', couponKeys(definition.id, style), [], args)) as Awaited<ReturnType<ChangeStore['change']>>;
    }),

    retire: guard(async (couponId, newEpoch) => {
      await runScript(client, 'retire', couponKeys(couponId, style), [], [newEpoch]);
    }),

    dropIssued: guard(async (couponId, userIds) => {
      const keys = couponKeys(couponId, style);
      if (userIds.length > 0) await client.unlink(...userIds.map((userId) => toBytes(keys.issued(userId))));
    }),

    drop: guard(async (couponId) => {
      const keys = couponKeys(couponId, style);
      // Everything under the keys of this coupon goes, of whatever type it is.
      const isHash = (await client.type(keys.admitted)) === 'hash';
      const admitted = isHash ? (client.hscanBufferStream(keys.admitted, { count: SCAN_COUNT }) as AsyncIterable<Buffer[]>) : [];
      for await (const chunk of admitted) {
        const users = chunk.filter((_, index) => index % 2 === 0).map(toText);
        if (users.length > 0) await client.unlink(...users.map((userId) => toBytes(keys.issued(userId))));
      }
      await client.unlink(keys.coupon, keys.queue, keys.admitted, keys.leases, keys.dead, keys.claims, keys.life);
      await client.srem(COUPON_INDEX, couponId);
    }),

    scanQueues: guard(async () => {
      const found = new Set<string>();
      for await (const chunk of scanAll(connection, { match: withPrefix(connection.prefix, QUEUE_PATTERN), count: SCAN_COUNT })) {
        for (const key of chunk) {
          const couponId = couponOfQueueKey(withoutPrefix(connection.prefix, key), style);
          if (couponId !== null) found.add(couponId);
        }
      }
      const serialised = new Set<string>();
      for (const pattern of SERIALISED_QUEUE_PATTERNS) {
        const match = Buffer.from(withPrefix(connection.prefix, pattern), 'latin1') as unknown as string;
        for await (const chunk of scanAllBytes(connection, { match, count: SCAN_COUNT }))
          for (const key of chunk) serialised.add(toText(key));
      }
      return { couponIds: [...found].toSorted(), serialised: [...serialised].toSorted() };
    }),

    async use(couponId, userId, usedAt) {
      const keys = couponKeys(couponId, style);
      try {
        return (await runScript(client, 'use', keys, [userId], [isoTime(usedAt)])) === 1;
      } catch (error) {
        throw (await wrongTypeOf(connection, error, [{ key: keys.issued(userId), type: 'hash' }])) ?? connection.explain(error);
      }
    },
  };
}

/** Settings of a coupon as field, value pairs of its hash. `verify.lua` tells what `window` and the milliseconds are. */
export function settingFields({ name, opensAt, closesAt, expiry }: CouponDefinition): string[] {
  const [opens, closes] = [isoTime(opensAt), isoTime(closesAt)];
  const millis = ['opens_ms', String(opensAt?.getTime() ?? 0), 'closes_ms', String(closesAt?.getTime() ?? 0)];
  const fields = ['name', name, 'opens_at', opens, 'closes_at', closes, 'window', `${opens} ${closes}`, ...millis];
  return expiry.kind === 'after'
    ? [...fields, 'valid_for', durationFlag(expiry.ms)]
    : [...fields, 'ex_date', expiry.kind === 'at' ? isoTime(expiry.at) : ''];
}

/** When it was closed is for the users who come later. */
function stateFields(state: string | null): string[] {
  if (state === null) return [];
  return state === 'closed' ? ['state', state, 'closed_ms', String(Date.now())] : ['state', state];
}
