import type { Ledger } from '../stores/postgres/ledger.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import type { Strategy } from '../campaign/strategy.ts';
import type { Context, RedisStores } from './context.ts';

export interface BaselinePorts {
  redis: RedisStores;
  ledger: Ledger;
  onFault: (error: unknown) => void;
}

const WARNINGS = {
  'three-calls': 'for comparison only; it over-promises: stock leaks, and users are accepted twice',
  'rdb-lock': 'for comparison only; every request waits for the row lock of its coupon, and Redis does not guard it',
};

/** Admission as one of the baselines does it, with a warning. What it has opened is closed with the context. */
export async function baseline(
  context: Context,
  strategy: Exclude<Strategy, 'atomic'>,
  { redis, ledger, onFault }: BaselinePorts,
): Promise<Admission> {
  context.out.warn(`strategy ${strategy}: ${WARNINGS[strategy]}`);
  if (strategy === 'three-calls') {
    const { threeCallsAdmission } = await import('../baselines/three-calls.ts');
    return threeCallsAdmission(redis.connection, redis.keyStyle, () => Date.now());
  }
  const [{ rdbLockAdmission }, { HashMirror }] = await Promise.all([
    import('../baselines/rdb-lock.ts'),
    import('../baselines/hash-mirror.ts'),
  ]);
  const mirror = new HashMirror({ claims: redis.claims, ledger }, onFault);
  // A pool of its own: requests must not wait for reads, nor reads for them.
  const database = await context.database();
  context.onClose(() => mirror.flushed());
  return rdbLockAdmission({ database, onIssued: (row) => mirror.add(row) });
}
