import { chunked } from '../../lib/chunked.ts';
import type { DeadUsers, DropOutcome, RetryOutcome } from '../../operate/ports.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';
import { toBytes } from './keys/members.ts';
import { runScript, SCRIPT_USERS } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

export function redisDead(connection: RedisConnection, style: KeyStyle): DeadUsers {
  const all = async (script: 'retry' | 'drop', couponId: string, epoch: string, userIds: readonly string[]): Promise<string[]> => {
    const outcomes: string[] = [];
    try {
      for (const share of chunked(userIds, SCRIPT_USERS)) {
        outcomes.push(
          ...((await runScript(connection.client, script, couponKeys(couponId, style), [], [epoch, ...share.map(toBytes)])) as string[]),
        );
      }
    } catch (error) {
      throw await couponFault(connection, couponKeys(couponId, style), error);
    }
    return outcomes;
  };
  return {
    retry: async (couponId, epoch, userIds) => (await all('retry', couponId, epoch, userIds)) as RetryOutcome[],
    drop: async (couponId, epoch, userIds) => (await all('drop', couponId, epoch, userIds)) as DropOutcome[],
  };
}
