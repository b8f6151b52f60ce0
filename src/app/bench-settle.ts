import type { BenchClock, BenchStores } from './bench-ports.ts';
import { CouponError } from '../core/errors.ts';

export interface SettleOptions {
  couponIds: readonly string[];
  timeoutMs: number;
  /** How long the ledger must not have changed. */
  quietForMs: number;
  onProgress?: (progress: { waiting: number; claimed: number; issued: number }) => void;
}

export interface Settled {
  /** Nobody waits, nobody is claimed, and the ledger has been quiet. */
  settled: boolean;
  /** Clock reading at which the last user left the queue and the leases; null when some are still there. */
  emptyAtMs: number | null;
}

const POLL_MS = 100;

/**
 * Waits until the drain is done. Quiet counts as well as empty: a request whose reply was lost may be admitted only now, and
 * a worker may sit between its claim and its commit. A store that does not answer is asked again until the time is up.
 */
export async function settle({ redis, ledger }: BenchStores, options: SettleOptions, clock: BenchClock): Promise<Settled> {
  const deadline = clock.now() + options.timeoutMs;
  let emptyAtMs: number | null = null;
  let quietSince = clock.now();
  let before = '';
  for (;;) {
    try {
      let waiting = 0;
      let claimed = 0;
      let issued = 0;
      let admitted = 0;
      for (const couponId of options.couponIds) {
        const coupon = await redis.coupon(couponId);
        waiting += coupon?.waiting ?? 0;
        claimed += coupon?.claimed ?? 0;
        admitted += coupon?.admitted ?? 0;
        issued += (await ledger.coupon(couponId))?.issuedQuantity ?? 0;
      }
      const now = clock.now();
      if (waiting + claimed > 0) emptyAtMs = null;
      else emptyAtMs ??= now;
      const state = `${waiting} ${claimed} ${issued} ${admitted}`;
      if (state !== before) quietSince = now;
      before = state;
      options.onProgress?.({ waiting, claimed, issued });
      if (emptyAtMs !== null && now - quietSince >= options.quietForMs) return { settled: true, emptyAtMs };
    } catch (error) {
      if (!(error instanceof CouponError) || error.kind !== 'unreachable') throw error;
      emptyAtMs = null;
      before = '';
    }
    if (clock.now() >= deadline) return { settled: false, emptyAtMs };
    await clock.sleep(Math.min(POLL_MS, Math.max(0, deadline - clock.now())));
  }
}
