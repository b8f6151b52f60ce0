import { CouponError } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { EvidenceSource } from './evidence/source.ts';

export interface SettleOptions {
  /** With the users that the replies promised a coupon. */
  coupons: readonly { couponId: string; accepted: readonly string[] }[];
  timeoutMs: number;
  /** How long nothing must have changed. */
  quietForMs: number;
  onProgress?: (progress: { waiting: number; claimed: number; issued: number }) => void;
}

export interface Settled {
  /** No user waits or is claimed, every accepted user has a coupon, and nothing has changed for a while; or there was nothing to look at. */
  settled: boolean;
  /** Clock reading at which the last user left the queue and the leases; null when some are still there, or it cannot be told. */
  emptyAtMs: number | null;
  /** Accepted users, and how many of them were not seen to have a coupon at the last look. */
  accepted: number;
  missing: number;
  /** In the queue at the last look. */
  waiting: number;
  /** No user waited, and nothing had changed for as long as it takes to count as quiet. */
  idle: boolean;
  waitedMs: number;
}

const POLL_MS = 100;
/** A look at a slow store is a load of its own: at most this share of the time goes into looking. */
const LOOKING_SHARE = 0.2;

/**
 * Waits until everybody accepted has a coupon. Quiet alone ends nothing while some are missing: a scheduler may pause for longer
 * than expected, so the wait then goes on until the time is up. With no user missing quiet still counts: a request whose
 * reply was lost may be admitted only now. A store that does not answer is asked again until the time is up.
 */
export async function settle(source: EvidenceSource, options: SettleOptions, clock: Clock): Promise<Settled> {
  const began = clock.now();
  const deadline = began + options.timeoutMs;
  const unserved = new Map(options.coupons.map(({ couponId, accepted }) => [couponId, accepted]));
  const accepted = options.coupons.reduce((sum, coupon) => sum + coupon.accepted.length, 0);
  let emptyAtMs: number | null = null;
  let quietSince = began;
  let before = '';
  let last = { missing: accepted, waiting: 0, idle: false };
  const result = (settled: boolean, at: number | null): Settled => {
    return { settled, emptyAtMs: at, accepted, ...last, waitedMs: clock.now() - began };
  };
  for (;;) {
    const startedMs = clock.now();
    try {
      const seen = await lookAt(source, unserved, startedMs >= deadline);
      if (!seen) {
        last = { missing: 0, waiting: 0, idle: true };
        return result(true, null);
      }
      const { waiting, claimed, issued, missing, state } = seen;
      const now = clock.now();
      if (waiting + claimed > 0) emptyAtMs = null;
      else emptyAtMs ??= now;
      if (state !== before) quietSince = now;
      before = state;
      last = { missing, waiting, idle: emptyAtMs !== null && now - quietSince >= options.quietForMs };
      options.onProgress?.({ waiting, claimed, issued });
      // Where users are out of sight between queue and coupon, the last change is when the last of them was served.
      if (last.idle && missing === 0) return result(true, Math.max(emptyAtMs!, quietSince));
    } catch (error) {
      if (!(error instanceof CouponError) || error.kind !== 'unreachable') throw error;
      emptyAtMs = null;
      before = '';
      last = { ...last, idle: false };
    }
    const now = clock.now();
    // The look at the very end is a full one.
    if (startedMs >= deadline) return result(false, emptyAtMs);
    await clock.sleep(Math.min(Math.max(POLL_MS, (now - startedMs) / LOOKING_SHARE), Math.max(0, deadline - now)));
  }
}

interface Seen {
  waiting: number;
  claimed: number;
  issued: number;
  /** Accepted users who are not seen to have a coupon. */
  missing: number;
  /** Everything seen, to tell whether it changed. */
  state: string;
}

/**
 * One look at all coupons; null when there is nothing to look at. Users who were seen served are not asked about again.
 *
 * @param full ask for every user, also while others wait
 */
async function lookAt(source: EvidenceSource, unserved: Map<string, readonly string[]>, full: boolean): Promise<Seen | null> {
  const seen = { waiting: 0, claimed: 0, issued: 0, missing: 0 };
  const states: string[] = [];
  for (const [couponId, users] of unserved) {
    const look = await source.look(couponId);
    if (!look) return null;
    seen.waiting += look.waiting;
    seen.claimed += look.claimed;
    seen.issued += look.issued ?? 0;
    const left = look.waiting + look.claimed > 0 && !full ? users : await source.unserved(couponId, users);
    unserved.set(couponId, left);
    seen.missing += left.length;
    states.push(`${look.waiting} ${look.claimed} ${look.issued} ${look.mark} ${left.length}`);
  }
  return { ...seen, state: states.join('; ') };
}
