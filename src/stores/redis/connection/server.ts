/** What holds for a link to any server, alone or of a cluster. */
import type { RedisOptions } from 'ioredis';
import { CouponError, usageError } from '../../../lib/errors.ts';
import type { RedisConnectionOptions } from './connection.ts';
import { infoField } from './role.ts';
import type { RedisTarget } from './url.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 5_000;
const LONGEST_BACKOFF_MS = 2_000;

/**
 * With its defaults ioredis sends a command again when the reply was lost, so a script can run twice (measured with 5.11 and
 * 6.0). These options make every loss a rejection, which the callers treat as "unknown" and ask again under the same
 * request id. `maxRetriesPerRequest: 0` is also what makes commands in flight settle at all when the link drops.
 */
export function commonOptions({ user, password }: RedisTarget, { commandTimeoutMs = COMMAND_TIMEOUT_MS }: RedisConnectionOptions) {
  return {
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    // A link that died silently is never reported: only giving it up leads to a new one. Not at the first silence: a slow server
    // still answers a second question.
    socketTimeout: 2 * commandTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions;
}

/** @param info with the section `server` */
export function isOfCluster(info: string): boolean {
  // Valkey has another name for it.
  return ['redis_mode', 'server_mode'].some((field) => infoField(info, field) === 'cluster');
}

export function backoff(attempt: number): number {
  const ceiling = Math.min(LONGEST_BACKOFF_MS, 50 * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** Null: not a sentinel. @param info with the section `server` */
export function sentinelNamed(info: string, address: string): CouponError | null {
  if (infoField(info, 'redis_mode') !== 'sentinel') return null;
  return usageError('BAD_REDIS_URL', `${address} is a sentinel, which holds no data`, `Write redis-sentinel://${address}/0#primary.`);
}

/** Null: new enough. */
export function tooOld(info: string): CouponError | null {
  const version = infoField(info, 'redis_version');
  if (Number.parseInt(version, 10) >= 7) return null;
  return new CouponError({
    code: 'REDIS_TOO_OLD',
    kind: 'usage',
    message: `Redis ${version} is too old`,
    why: 'script flags, which keep admission from half-done writes at the memory limit, came with Redis 7.0',
    fix: 'Use Redis 7.0 or later, or Valkey.',
  });
}
