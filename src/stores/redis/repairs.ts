import { chunked } from '../../lib/chunked.ts';
import type { RedisRepairs } from '../../audit/repair/ports.ts';
import { isoTime } from '../../campaign/coupon.ts';
import { settingFields } from './coupons.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { toBytes } from './keys/members.ts';
import { repliesOf, toNumber } from './keys/replies.ts';
import { suspectOf } from './suspect-of.ts';
import { runScript, type ScriptName, SCRIPT_USERS } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

export function redisRepairs(connection: RedisConnection, style: KeyStyle): RedisRepairs {
  const run = async (
    name: ScriptName,
    couponId: string,
    users: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> => {
    try {
      return await runScript(connection.client, name, couponKeys(couponId, style), users, args);
    } catch (error) {
      throw await couponFault(connection, couponKeys(couponId, style), error);
    }
  };

  return {
    async record(couponId) {
      const keys = couponKeys(couponId, style);
      try {
        const lifeEpoch = (await connection.client.type(keys.life)) === 'string' ? await connection.client.get(keys.life) : null;
        const commands = connection.together().hgetall(keys.coupon).hlen(keys.admitted);
        const [hash, admitted] = (await repliesOf(commands)) as [Record<string, string>, number];
        return {
          hashEpoch: Object.keys(hash).length === 0 ? null : (hash['epoch'] ?? ''),
          lifeEpoch,
          stock: toNumber(hash['stock']),
          fence: toNumber(hash['fence']),
          lastUs: toNumber(hash['last_us']),
          suspect: suspectOf(hash),
          state: hash['state'] ?? '',
          admitted,
        };
      } catch (error) {
        throw await couponFault(connection, keys, error);
      }
    },

    async bind(coupon, found, { fence, lastUs }, suspect = 'repair') {
      const args = [
        coupon.epoch,
        found,
        connection.runOf(couponKeys(coupon.id, style).coupon),
        coupon.version,
        coupon.total,
        fence,
        lastUs,
        suspect,
        coupon.saleState ?? '',
        ...settingFields(coupon),
      ];
      return (await run('bind', coupon.id, [], args)) as 'bound' | 'changed' | 'done';
    },

    async adopt(couponId, epoch, users) {
      let changed = 0;
      for (const share of chunked(users, SCRIPT_USERS)) {
        const args = share.flatMap(({ userId, requestedUs }) => [toBytes(userId), requestedUs ?? '']);
        changed += (await run('adopt', couponId, [], [epoch, ...args])) as number;
      }
      return changed;
    },

    async requeue(couponId, epoch, userIds) {
      let requeued = 0;
      for (const share of chunked(userIds, SCRIPT_USERS))
        requeued += (await run('requeue', couponId, [], [epoch, ...share.map(toBytes)])) as number;
      return requeued;
    },

    async rehash(couponId, epoch, users) {
      let written = 0;
      for (const share of chunked(users, SCRIPT_USERS)) {
        const args = share.flatMap(({ row, seenUsedAt }) => [
          row.userId,
          ...[row.expiresAt, row.requestedAt, row.issuedAt, row.usedAt, row.revokedAt].map(isoTime),
          seenUsedAt,
        ]);
        const userIds = share.map(({ row }) => row.userId);
        written += (await run('rehash', couponId, userIds, [epoch, couponId, ...args])) as number;
      }
      return written;
    },

    async evictExcess({ id, epoch, total, returnedQuantity }, userIds) {
      let moved = 0;
      let excess = 0;
      for (const share of userIds.length > 0 ? chunked(userIds, SCRIPT_USERS) : [[]]) {
        const [some, left] = (await run('evict-excess', id, [], [epoch, total, returnedQuantity, ...share.map(toBytes)])) as [
          number,
          number,
        ];
        moved += some;
        excess = left;
      }
      return { moved, excess };
    },

    async restore(coupon, lastUs, state) {
      const { epoch, version, total, maxFence } = coupon;
      const args = [
        epoch,
        connection.runOf(couponKeys(coupon.id, style).coupon),
        version,
        total,
        maxFence,
        lastUs,
        state,
        coupon.returnedQuantity,
        coupon.minFence,
        ...settingFields(coupon),
      ];
      const [status, stock] = (await run('restore', coupon.id, [], args)) as string[];
      return status === 'ok' ? { status, stock: Number(stock) } : { status: status as 'epoch' | 'excess' };
    },
  };
}
