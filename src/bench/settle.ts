import { CouponError } from '../lib/errors.ts';
import type { BenchClock } from './ports.ts';
import type { EvidenceSource } from './evidence/source.ts';

export interface SettleOptions {
  /** With the users whom the replies promised a piece. */
  coupons: readonly { couponId: string; accepted: readonly string[] }[];
  timeoutMs: number;
  /** How long nothing must have changed. */
  quietForMs: number;
  onProgress?: (progress: { waiting: number; claimed: number; issued: number }) => void;
}

export interface Settled {
  /** Nobody waits, nobody is claimed, and nothing has changed for a while; or there was nothing to look at. */
  settled: boolean;
  /** Clock reading at which the last user left the queue and the leases; null when some are still there, or nobody could tell. */
  emptyAtMs: number | null;
}

const POLL_MS = 100;
/** A look at a slow store is a load of its own: at most this share of the time goes into looking. */
const LOOKING_SHARE = 0.2;

/**
 * Waits until the drain is done. Quiet counts as well as empty: a request whose reply was lost may be admitted only now, and
 * a worker may sit between its claim and its commit. A store that does not answer is asked again until the time is up.
 */
export async function settle(source: EvidenceSource, options: SettleOptions, clock: BenchClock): Promise<Settled> {
  const deadline = clock.now() + options.timeoutMs;
  const unserved = new Map(options.coupons.map(({ couponId, accepted }) => [couponId, accepted]));
  let emptyAtMs: number | null = null;
  let quietSince = clock.now();
  let before = '';
  for (;;) {
    const startedMs = clock.now();
    try {
      const seen = await lookAt(source, unserved);
      if (!seen) return { settled: true, emptyAtMs: null };
      const { waiting, claimed, issued, state } = seen;
      const now = clock.now();
      if (waiting + claimed > 0) emptyAtMs = null;
      else emptyAtMs ??= now;
      if (state !== before) quietSince = now;
      before = state;
      options.onProgress?.({ waiting, claimed, issued });
      // Where users are out of sight between queue and piece, the last change is when the last of them was served.
      if (emptyAtMs !== null && now - quietSince >= options.quietForMs)
        return { settled: true, emptyAtMs: Math.max(emptyAtMs, quietSince) };
    } catch (error) {
      if (!(error instanceof CouponError) || error.kind !== 'unreachable') throw error;
      emptyAtMs = null;
      before = '';
    }
    const now = clock.now();
    if (now >= deadline) return { settled: false, emptyAtMs };
    await clock.sleep(Math.min(Math.max(POLL_MS, (now - startedMs) / LOOKING_SHARE), Math.max(0, deadline - now)));
  }
}

interface Seen {
  waiting: number;
  claimed: number;
  issued: number;
  /** Everything seen, to tell whether it changed. */
  state: string;
}

/** One look at all coupons; null when there is nothing to look at. Users who were seen served are not asked about again. */
async function lookAt(source: EvidenceSource, unserved: Map<string, readonly string[]>): Promise<Seen | null> {
  const seen = { waiting: 0, claimed: 0, issued: 0 };
  const states: string[] = [];
  for (const [couponId, users] of unserved) {
    const look = await source.look(couponId);
    if (!look) return null;
    seen.waiting += look.waiting;
    seen.claimed += look.claimed;
    seen.issued += look.issued ?? 0;
    const left = look.waiting + look.claimed > 0 ? users : await source.unserved(couponId, users);
    unserved.set(couponId, left);
    states.push(`${look.waiting} ${look.claimed} ${look.issued} ${look.mark} ${left.length}`);
  }
  return { ...seen, state: states.join('; ') };
}
