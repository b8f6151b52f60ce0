import type { Refusal, Refusals } from '../../admission/ports.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { runScript } from './script.ts';
import { redisWalks } from './walks.ts';
import { couponFault } from './keys/wrong-type.ts';

export function redisRefusals(connection: RedisConnection, style: KeyStyle): Refusals {
  const { walk } = redisWalks(connection, style);
  return {
    async refusal(couponId) {
      const keys = couponKeys(couponId, style);
      try {
        return decode(
          (await runScript(connection.client, 'read-refusal', keys, [], [connection.runOf(keys.coupon)])) as [
            string,
            string,
            string,
            string,
            number,
            number,
            string,
          ],
        );
      } catch (error) {
        throw await couponFault(connection, keys, error);
      }
    },

    async *knownUsers(couponId) {
      yield* walk(couponId, 'admitted');
      yield* walk(couponId, 'waiting');
    },
  };
}

function decode([outcome, opensIn, epoch, lastUs, admitted, waiting, at]: [
  string,
  string,
  string,
  string,
  number,
  number,
  string,
]): Refusal {
  return {
    outcome: outcome === '' ? null : (outcome as Refusal['outcome']),
    ...(at === '' ? {} : { atMs: Number(at) }),
    opensInMs: opensIn === '' ? null : Number(opensIn),
    epoch,
    lastUs,
    admitted,
    waiting,
  };
}
