import type { ClaimQueue } from '../drain/ports.ts';
import type { AcceptedMeans } from '../campaign/accepted-means.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import type { RedisDurability } from '../campaign/ports/health.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { diskWeakness, evictionWeakness } from '../campaign/readiness/weaknesses.ts';
import { usageError } from '../lib/errors.ts';
import { databaseDurability } from '../stores/postgres/health.ts';
import type { Context, RedisStores } from './context.ts';

export const ALLOW_EVICTION = '--allow-eviction';
export const ALLOW_EVICTION_ABOUT = 'go on although Redis may evict keys when its memory is full (maxmemory-policy)';

export interface GuardOptions {
  allowEviction: boolean;
  /** What "accepted" is to survive. */
  means?: AcceptedMeans;
  /** Whether to say what makes it weaker. */
  tells: boolean;
}

/**
 * Looks at what the stores promise before anything is promised to users.
 *
 * @throws CouponError `REDIS_EVICTS` for a Redis that may drop keys, `REDIS_NOT_DURABLE` where `means` asks for its disk
 */
export async function guardStores(
  context: Context,
  { redis, database }: { redis: Pick<RedisStores, 'health'>; database?: Database },
  { allowEviction, means = 'disk', tells }: GuardOptions,
): Promise<void> {
  const warn = (text: string): void => {
    if (tells) context.out.warn(text);
  };
  for (const server of await redis.health.durability()) guardServer(server, { allowEviction, means, warn });
  if (!database || !tells) return;
  for (const { what } of await databaseDurability(database)) warn(what);
}

function guardServer(
  server: RedisDurability,
  { allowEviction, means, warn }: { allowEviction: boolean; means: AcceptedMeans; warn: (text: string) => void },
): void {
  const { address, appendOnly, fsync } = server;
  const evicts = evictionWeakness(server);
  if (evicts !== null) {
    if (!allowEviction) throw usageError('REDIS_EVICTS', evicts, `Set maxmemory-policy to noeviction, or insist with ${ALLOW_EVICTION}.`);
    warn(evicts);
  }
  if (means === 'both' && (appendOnly === false || (fsync !== null && fsync !== 'always'))) {
    throw usageError(
      'REDIS_NOT_DURABLE',
      `${address === null ? 'Redis' : `Redis at ${address}`} does not write each answer to its disk (appendonly ${appendOnly ? 'yes' : 'no'}, appendfsync ${fsync ?? 'unknown'})`,
      'Set appendonly yes and appendfsync always, or leave it to the replica: --accepted-means replica.',
    );
  }
  const weak = means === 'replica' ? null : diskWeakness(server);
  if (weak !== null) warn(weak);
}

/** Answers that have reached a replica, where that is asked for. */
export async function admissionThatMeans(means: AcceptedMeans, { admission, connection, keyStyle }: RedisStores): Promise<Admission> {
  if (means === 'disk') return admission;
  const { confirmedAdmission } = await import('../stores/redis/confirmed.ts');
  return confirmedAdmission(admission, connection, keyStyle);
}

/** Claims that have reached a replica, where that is asked for. */
export async function claimsThatMean(means: AcceptedMeans, { claims, connection, keyStyle }: RedisStores): Promise<ClaimQueue> {
  if (means === 'disk') return claims;
  const { confirmedClaims } = await import('../stores/redis/confirmed.ts');
  return confirmedClaims(claims, connection, keyStyle);
}
