/**
 * The reference model of admission: what `stores/redis/lua/request/admit.lua` must do, written for reading. Tests drive both with the same
 * random sequences.
 */
import type { AdmissionAnswer, AdmissionRequest } from '../../src/campaign/admission.ts';
import { scoreToMicros } from '../../src/campaign/coupon.ts';
import { placeOf, type Place } from '../../src/campaign/place.ts';

export interface AdmissionState {
  stock: number | null;
  state: 'open' | 'paused' | 'closed';
  opensAtMs: number | null;
  closesAtMs: number | null;
  /** The coupon was checked against the ledger in this life of the server. */
  trusted: boolean;
  lastUs: number;
  /** Everyone ever accepted by admission. */
  admitted: Map<string, { score: number; requestId: string }>;
  waiting: Map<string, number>;
  claimed: Set<string>;
  dead: Set<string>;
  issued: Set<string>;
}

/** One request against the state, which is changed in place. `null` stands for a coupon that Redis does not have. */
export function admitOne(coupon: AdmissionState | null, request: AdmissionRequest, nowUs: number): AdmissionAnswer {
  if (!coupon) return { outcome: 'unknown_coupon' };
  // Whoever is claimed or dead was accepted, so the record of it is lost: the coupon stays out of service.
  if (coupon.admitted.size === 0 && coupon.claimed.size + coupon.dead.size > 0) coupon.trusted = false;
  const known = knownRequest(coupon, request.userId);
  if (known) {
    const same = known.requestId !== '' && known.requestId === request.requestId;
    const answer: AdmissionAnswer = { outcome: same ? 'accepted' : 'duplicate', place: place(coupon, request.userId) };
    const firstRequestUs = known.score === null ? null : scoreToMicros(known.score);
    return firstRequestUs === null ? answer : { ...answer, firstRequestUs };
  }
  if (!coupon.trusted || coupon.stock === null) return { outcome: 'unavailable' };
  const nowMs = Math.floor(nowUs / 1_000);
  const opened = coupon.opensAtMs === null || nowMs >= coupon.opensAtMs;
  const closed = coupon.closesAtMs !== null && nowMs >= coupon.closesAtMs;
  if (coupon.state === 'closed') return { outcome: 'closed', ...(closed ? { atMs: coupon.closesAtMs! } : {}) };
  if (closed) return { outcome: 'closed', atMs: coupon.closesAtMs! };
  if (coupon.state !== 'open') return { outcome: 'not_open' };
  if (!opened) return { outcome: 'not_yet_open', atMs: coupon.opensAtMs! };
  if (coupon.stock <= 0) return { outcome: 'sold_out' };
  const score = Math.max(nowUs, coupon.lastUs + 1);
  coupon.lastUs = score;
  coupon.stock -= 1;
  coupon.admitted.set(request.userId, { score, requestId: request.requestId });
  coupon.waiting.set(request.userId, score);
  return { outcome: 'accepted', place: 'waiting', firstRequestUs: score };
}

/** The request that already counts for a user: ours, or one that another service queued or issued. */
function knownRequest(coupon: AdmissionState, userId: string): { score: number | null; requestId: string } | null {
  const admitted = coupon.admitted.get(userId);
  if (admitted) return admitted;
  const waiting = coupon.waiting.get(userId);
  if (waiting !== undefined) return { score: waiting, requestId: '' };
  return coupon.issued.has(userId) ? { score: null, requestId: '' } : null;
}

function place(coupon: AdmissionState, userId: string): Place {
  const traces = {
    admitted: coupon.admitted.get(userId),
    waiting: coupon.waiting.get(userId) ?? null,
    leaseDeadlineMs: coupon.claimed.has(userId) ? 0 : null,
    dead: coupon.dead.has(userId) ? '' : null,
  };
  return placeOf(traces, coupon.issued.has(userId)) ?? 'admitted';
}
