import type { ForgetRedis } from '../../operate/remove/ports.ts';
import { redisClaims } from './claims.ts';
import type { RedisConnection } from './connection/connection.ts';
import { redisCoupons } from './coupons.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { toBytes } from './keys/members.ts';
import { redisReader } from './reader.ts';
import { runScript } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

/** What forgetting a user needs, in one key style: coupons of an installation may have been seeded with either. */
export function redisForget(connection: RedisConnection, style: KeyStyle): ForgetRedis {
  return {
    saleOf: redisCoupons(connection, style).saleOf,
    users: redisReader(connection, style).users,
    ack: redisClaims(connection, style).ack,
    async forget(couponId, epoch, { userId, tombstone, step }) {
      const keys = couponKeys(couponId, style);
      try {
        const args = [epoch, toBytes(userId), tombstone, step === 'clean' ? step : step.minFence];
        const reply = await runScript(connection.client, 'forget', keys, [userId, tombstone], args);
        return reply as Awaited<ReturnType<ForgetRedis['forget']>>;
      } catch (error) {
        throw await couponFault(connection, keys, error);
      }
    },
  };
}
