import type { Readiness } from './readiness.ts';
import type { LedgerHealth, RedisHealth } from '../ports/health.ts';
import { cached } from '../../lib/cached.ts';
import { withTimeout } from '../../lib/with-timeout.ts';

export interface ReadinessPorts {
  redis: Pick<RedisHealth, 'condition'>;
  ledger: LedgerHealth;
}

/** Probes give up after a second or a few; a store that needs longer than this is of no use to anybody. */
const PATIENCE_MS = 2_000;

/**
 * Whether both stores can be used, for probes: up to a second old, so that they cannot load the stores, and never later than two
 * seconds, so that a link that went silent shows as such instead of holding the probe up.
 *
 * @param now milliseconds, monotonic
 */
export function readiness({ redis, ledger }: ReadinessPorts, now: () => number): () => Promise<Readiness> {
  return cached(async () => {
    const [redisIs, ledgerIs] = await Promise.all([
      withTimeout(redis.condition(), PATIENCE_MS, 'timeout' as const),
      withTimeout(ledger.condition(), PATIENCE_MS, 'timeout' as const),
    ]);
    return { redis: redisIs, ledger: ledgerIs };
  }, now);
}
