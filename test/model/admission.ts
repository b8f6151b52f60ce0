import { type AdmissionAnswer, type AdmissionRequest } from '../../src/campaign/admission.ts';
import { admitOne, type AdmissionState } from './admit-one.ts';
import { doubtAdmissions } from './doubt.ts';
import type { Campaign } from './state.ts';

/** A user asks. The rules are those of {@link admitOne}, over what the campaign has. */
export function admit({ redis, server }: Campaign, request: AdmissionRequest, nowUs: number): AdmissionAnswer {
  const { coupon } = redis;
  if (!coupon) return admitOne(null, request, nowUs);
  doubtAdmissions(redis);
  const state: AdmissionState = {
    stock: Number.isNaN(coupon.stock) ? null : coupon.stock,
    state: coupon.state === 'open' || coupon.state === 'closed' ? coupon.state : 'paused',
    opensAtMs: null,
    closesAtMs: null,
    trusted: coupon.run === server && coupon.suspect === '',
    lastUs: coupon.lastUs,
    admitted: redis.admitted,
    waiting: redis.waiting,
    claimed: new Set(redis.leases.keys()),
    dead: new Set(redis.dead.keys()),
    issued: new Set(redis.issued.keys()),
  };
  // Nobody knows what a key of another type says about a user who is new.
  const isKnown = [redis.admitted, redis.waiting].some((place) => place.has(request.userId));
  if (redis.occupied.has(request.userId) && !isKnown) return { outcome: 'unavailable' };
  const answer = admitOne(state, request, nowUs);
  Object.assign(coupon, { stock: state.stock ?? Number.NaN, lastUs: state.lastUs });
  return answer;
}

/** Another program writes a key of another type where the issued hash of a user would be, who has none yet. */
export function occupy({ redis }: Campaign, userId: string): boolean {
  if (redis.issued.has(userId)) return false;
  redis.occupied.add(userId);
  return true;
}

/**
 * Another service takes a request of somebody new: it spends a coupon and queues the user, and writes nothing else.
 *
 * @returns whether it did
 */
export function queueElsewhere({ redis }: Campaign, userId: string, score: number): boolean {
  const { coupon } = redis;
  const known = [redis.admitted, redis.waiting, redis.leases, redis.dead, redis.issued, redis.occupied].some((one) => one.has(userId));
  if (!coupon || !(coupon.stock > 0) || known) return false;
  coupon.stock -= 1;
  redis.waiting.set(userId, score);
  return true;
}

/**
 * Another program writes the hash of the coupon as a whole, with fields of its own alone.
 *
 * @param stock what it knows of the stock: the present one, none, or one of its own
 */
export function rewrite({ redis, ledger }: Campaign, stock: 'kept' | 'none' | number): void {
  const kept = redis.coupon?.stock ?? Number.NaN;
  const counters = { returned: 0, givenBack: 0, lastUs: 0, fence: Number.NaN, acked: 0, minFence: 0 };
  const written = stock === 'kept' ? kept : stock === 'none' ? Number.NaN : stock;
  redis.coupon = {
    total: ledger.total,
    stock: written,
    suspect: '',
    state: '',
    name: 'summer',
    closesAt: '',
    drainedBy: '',
    version: Number.NaN,
    epoch: '',
    run: '',
    ...counters,
  };
}
