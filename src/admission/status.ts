import type { LedgerReader } from '../campaign/ports/ledger.ts';
import { isOutage } from '../lib/errors.ts';
import { placeOf, type Place } from '../campaign/place.ts';
import { isoTime, scoreToDate } from '../campaign/coupon.ts';
import { readForeignDate } from '../campaign/foreign-time.ts';
import type { CouponDirectory } from './coupon-directory.ts';
import type { RedisReader, RedisUser } from '../campaign/ports/redis-reader.ts';

export interface StatusPorts {
  reader: Pick<RedisReader, 'coupon' | 'user'>;
  ledger: Pick<LedgerReader, 'issuedSince' | 'rows'>;
  directory: CouponDirectory;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Where one user's request stands. Times of an issued coupon are ISO 8601, as the issued hash has them; null: none. */
export interface RequestStatus {
  couponId: string;
  userId: string;
  /** `admitted`: accepted, but found in no other place at this moment; `audit` says more. */
  state: Place;
  requestedAt: Date | null;
  /** From 1, the next to be issued; null unless waiting. */
  position: number | null;
  /** At the pace of the last minute; null when nothing was issued in it, or no user waits. */
  estimatedWaitSeconds: number | null;
  issuedAt: string | null;
  expiresAt: string | null;
  usedAt: string | null;
  revokedAt: string | null;
}

export type StatusAnswer = { status: 'found'; request: RequestStatus } | { status: 'not_requested' | 'unknown_coupon' | 'unavailable' };

const PACE_WINDOW_MS = 60_000;
const PACE_FRESH_MS = 1_000;

/**
 * Answers where requests stand. The pace of each coupon is read once a second at most: users who wait ask often.
 *
 * @throws CouponError of kind `unreachable` without Redis, and without the ledger where only it knows
 */
export function requestStatuses(ports: StatusPorts): (couponId: string, userId: string) => Promise<StatusAnswer> {
  const paces = new Map<string, { at: number; pace: Promise<number | null> }>();

  /** Issued per second over the last minute; null when that is zero or cannot be read. */
  const pace = (couponId: string): Promise<number | null> => {
    const last = paces.get(couponId);
    if (last && ports.now() - last.at < PACE_FRESH_MS) return last.pace;
    const read = readPace(ports, couponId);
    paces.set(couponId, { at: ports.now(), pace: read });
    return read;
  };

  return async (couponId, userId) => {
    const user = await ports.reader.user(couponId, userId);
    const state = placeOf(user, Boolean(user.issued));
    if (state === null) return { status: user.occupied ? 'unavailable' : await explainAbsence(ports, couponId) };
    const request = toStatus(couponId, user, state);
    // No place holds the user: the issued hash may be what is missing, and the ledger has the last word on that.
    if (state === 'admitted') return { status: 'found', request: await withLedger(ports.ledger, request) };
    if (request.position !== null) {
      const perSecond = await pace(couponId);
      if (perSecond !== null) request.estimatedWaitSeconds = Math.ceil(request.position / perSecond);
    }
    return { status: 'found', request };
  };
}

function toStatus(couponId: string, user: RedisUser, state: Place): RequestStatus {
  const score = user.admitted?.score ?? user.waiting ?? user.claim?.score ?? null;
  const issued = user.issued ?? {};
  // Text that is no time is none here; `audit` names it.
  const field = (name: string): Date | null => {
    const date = readForeignDate(issued[name]);
    return date === 'unreadable' ? null : date;
  };
  const time = (name: string): string | null => isoTime(field(name)) || null;
  return {
    couponId,
    userId: user.userId,
    state,
    requestedAt: (score === null ? null : scoreToDate(score)) ?? field('requested_at'),
    position: state === 'waiting' && user.position !== null ? user.position + 1 : null,
    estimatedWaitSeconds: null,
    issuedAt: time('issued_at'),
    expiresAt: time('ex_date'),
    usedAt: time('used_at'),
    revokedAt: time('revoked_at'),
  };
}

async function withLedger(ledger: StatusPorts['ledger'], request: RequestStatus): Promise<RequestStatus> {
  const [row] = await ledger.rows(request.couponId, [request.userId]);
  if (!row) return request;
  const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    ...request,
    state: 'issued',
    issuedAt: iso(row.issuedAt),
    expiresAt: iso(row.expiresAt),
    usedAt: iso(row.usedAt),
    revokedAt: iso(row.revokedAt),
  };
}

/** "You never asked" may only be said by a Redis that can be trusted with it. */
async function explainAbsence(ports: StatusPorts, couponId: string): Promise<'not_requested' | 'unknown_coupon' | 'unavailable'> {
  const coupon = await ports.reader.coupon(couponId);
  if (!coupon) return (await ports.directory.has(couponId)) ? 'unavailable' : 'unknown_coupon';
  return coupon.suspect === '' ? 'not_requested' : 'unavailable';
}

async function readPace(ports: StatusPorts, couponId: string): Promise<number | null> {
  try {
    const issued = await ports.ledger.issuedSince(couponId, new Date(ports.now() - PACE_WINDOW_MS));
    return issued > 0 ? issued / (PACE_WINDOW_MS / 1_000) : null;
  } catch (error) {
    // An estimate is not worth an error page.
    if (isOutage(error)) return null;
    throw error;
  }
}
