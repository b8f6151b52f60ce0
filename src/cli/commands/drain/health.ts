import type { Ledger } from '../../../stores/postgres/ledger.ts';
import type { CouponPass } from '../../../drain/coupon-pass.ts';
import type { DrainPorts } from '../../../drain/ports.ts';
import type { DrainSettings } from '../../../drain/loop.ts';
import { drainHeartbeat } from '../../../drain/heartbeat.ts';
import { readiness } from '../../../campaign/readiness/check-readiness.ts';
import { cached } from '../../../lib/cached.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import type { Database } from '../../../stores/postgres/connection/database.ts';
import type { Context, RedisStores } from '../../context.ts';
import { throttledWarnings } from '../../output/throttled-warnings.ts';
import { listen } from '../../listen.ts';

/** The stores of a drain, each from when it was opened. */
export interface DrainStores {
  redis?: RedisStores;
  ledger?: Ledger;
}

/** Looks at a drain from outside of it: at its ports, and at the passes that it tells of. */
export interface DrainHealth {
  /** The same ports, measured and listened to. From this call on the drain must move to count as alive. */
  observed(ports: DrainPorts): DrainPorts;
  passed(passes: readonly CouponPass[]): void;
}

/**
 * Serves `/livez`, `/readyz` and `/metrics` until the context closes, and says where. It answers before the stores do, which may
 * be away for long. Null: not asked for.
 *
 * @param stores filled in by the caller as they are opened
 * @throws CouponError `BAD_NUMBER`, `PORT_TAKEN`, `BAD_HOST`
 */
export async function startDrainHealth(
  context: Context,
  options: DrainSettings,
  database: Database,
  stores: DrainStores,
): Promise<DrainHealth | null> {
  const text = context.settings.get('healthPort').value;
  if (text === 'off') return null;
  const port = parseWhole(text, context.settings.label('healthPort'), 0, 65_535);
  const host = context.settings.get('healthHost').value;

  const [{ buildHealthServer }, { StoreMetrics }, { drainMetrics }] = await Promise.all([
    import('../../../http/health-server.ts'),
    import('../../../http/store-metrics.ts'),
    import('../../../drain/metrics.ts'),
  ]);
  const now = (): number => performance.now();
  const pulse = drainHeartbeat(options, now);
  const checks = {
    redis: { condition: async () => stores.redis?.health.condition() ?? ('down' as const) },
    ledger: await context.ledgerHealth(database, 'issue'),
  };
  const metrics = new StoreMetrics({
    reader: {
      coupon: async (couponId) => opened(stores.redis).reader.coupon(couponId),
      queueTimes: async (couponId, nowMs) => opened(stores.redis).reader.queueTimes(couponId, nowMs),
      now: async () => opened(stores.redis).reader.now(),
    },
    redisHealth: { fsyncAlways: async () => opened(stores.redis).health.fsyncAlways() },
    coupons: cached(async () => opened(stores.ledger).coupons(), now),
    get keyStyle() {
      return opened(stores.redis).keyStyle;
    },
  });
  const counts = drainMetrics(metrics.registry);

  const app = await buildHealthServer({ live: pulse.liveness, ready: readiness(checks, now), metrics }, throttledWarnings(context));
  const url = await listen(app, { host, port, flags: { host: '--health-host', port: '--health-port' } });
  context.onClose(() => app.close());
  // A drain that ends by itself prints one document, and nothing else, on stdout.
  if (context.out.json && options.until === 'stopped') context.out.item({ event: 'health', url }, () => url);
  else context.out.note(`health at ${url}`);

  return {
    observed: (ports) => pulse.tracked(counts.measured(ports)),
    passed(passes) {
      pulse.beat();
      counts.passed(passes);
    },
  };
}

function opened<T>(store: T | undefined): T {
  if (store === undefined) throw new Error('not opened yet');
  return store;
}
