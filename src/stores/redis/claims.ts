import type { AckRow, ClaimOptions, ClaimQueue, ClaimResult } from '../../campaign/ports.ts';
import { isoTime, type Claim } from '../../campaign/coupon.ts';
import type { RedisConnection } from './connection.ts';
import { redisWriteError } from './errors.ts';
import { couponKeys, type KeyStyle } from './keys.ts';
import { runScript, SCRIPT_USERS, scriptShares } from './script.ts';

export function redisClaims(connection: RedisConnection, style: KeyStyle): ClaimQueue {
  /** For writes: a lost answer is told apart from a command that was never sent. */
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw redisWriteError(error, connection.url);
    }
  };

  return {
    claim: (couponId, options) => run(() => claimAll(connection, couponId, style, options)),

    ack: (couponId, epoch, rows) =>
      run(async () => {
        const keys = couponKeys(couponId, style);
        for (const chunk of scriptShares(rows)) {
          const users = chunk.map((row) => row.userId);
          const fence = Math.max(...chunk.map((row) => row.fence));
          const reply = await runScript(connection.client, 'ack', keys, users, [epoch, couponId, fence, ...chunk.flatMap(issuedFields)]);
          if (reply !== 'ok') return false;
        }
        return true;
      }),

    release: (couponId, epoch, claims) =>
      run(async () => {
        let released = 0;
        for (const chunk of scriptShares(claims)) {
          const args = [epoch, ...chunk.flatMap((claim) => [claim.userId, claim.fence])];
          released += (await runScript(connection.client, 'release', couponKeys(couponId, style), [], args)) as number;
        }
        return released;
      }),

    bury: (couponId, epoch, refused) =>
      run(async () => {
        let buried = 0;
        for (const chunk of scriptShares(refused)) {
          const args = [epoch, ...chunk.flatMap(({ userId, fence, reason }) => [userId, fence, reason])];
          buried += (await runScript(connection.client, 'bury', couponKeys(couponId, style), [], args)) as number;
        }
        return buried;
      }),

    async backlog(couponId) {
      const keys = couponKeys(couponId, style);
      try {
        const [waiting, claimed] = await Promise.all([connection.client.zcard(keys.queue), connection.client.zcard(keys.leases)]);
        return { waiting, claimed };
      } catch (error) {
        throw connection.explain(error);
      }
    },
  };
}

/** Several script runs when the limit is above one run's share; stops as soon as the queue has no more. */
async function claimAll(connection: RedisConnection, couponId: string, style: KeyStyle, options: ClaimOptions): Promise<ClaimResult> {
  const total = { status: 'ok' as const, claims: [] as Claim[], reclaimed: 0, buried: 0, waiting: 0, acked: 0 };
  for (let left = options.limit; left > 0; left -= SCRIPT_USERS) {
    const limit = Math.min(left, SCRIPT_USERS);
    const args = [connection.run, options.epoch, limit, options.leaseMs, options.worker];
    const reply = (await runScript(connection.client, 'claim', couponKeys(couponId, style), [], args)) as string[];
    const part = decodeClaims(reply);
    if (part.status !== 'ok') return total.claims.length > 0 ? total : part;
    total.claims.push(...part.claims);
    total.reclaimed += part.reclaimed;
    total.buried += part.buried;
    total.waiting = part.waiting;
    total.acked = part.acked;
    if (part.waiting === 0) break;
  }
  return total;
}

function decodeClaims(reply: string[]): ClaimResult {
  if (reply[0] === 'suspect') return { status: reply[0], reason: reply[1] ?? '' };
  const [status, fence, reclaimed, buried, waiting, acked, ...rest] = reply;
  if (status !== 'ok') return { status: status as 'gone' | 'epoch' | 'run' };
  const claims: Claim[] = [];
  for (let i = 0; i < rest.length; i += 3) {
    claims.push({ userId: rest[i]!, score: Number(rest[i + 1]), fence: Number(fence), deliveries: Number(rest[i + 2]) });
  }
  return { status, claims, reclaimed: Number(reclaimed), buried: Number(buried), waiting: Number(waiting), acked: Number(acked) };
}

function issuedFields(row: AckRow): string[] {
  return [row.userId, ...[row.expiresAt, row.requestedAt, row.issuedAt, row.usedAt, row.revokedAt].map(isoTime)];
}
