import { isPartialOutage } from '../../campaign/readiness/partial-outage.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { AHEAD_MS, type QueueTimes, type RedisCoupon, type RedisReader } from '../../campaign/ports/redis-reader.ts';
import { stateByWindow, unreadableWindow, type WindowField } from '../../campaign/unreadable-window.ts';
import { WrongTypeError, type WrongType } from '../../campaign/wrong-type.ts';

/** How one coupon stands, by counters of both stores. Null: unknown, because the store that would know has no such coupon. */
export interface CouponState {
  couponId: string;
  name: string;
  /**
   * `open`, `paused` or `closed` as Redis has it; else why it cannot say: `seeding`, `resetting`, `missing_in_redis`,
   * `missing_in_ledger`, `other_key_style`, `wrong_type`, `server_away` (its server of a Redis Cluster cannot be asked); `unreadable_time`:
   * it is open, and takes no requests because of {@link CouponState.unreadable}.
   */
  state: string;
  /** Why the coupon was taken out of service; null: it was not. */
  suspect: string | null;
  total: number | null;
  stock: number | null;
  waiting: number | null;
  claimed: number | null;
  dead: number | null;
  issued: number | null;
  /** Age of the oldest request that waits; null: no user waits, or no score of the queue is a time that has been. */
  oldestWaitingMs: number | null;
  /** Waiting users whose score is no time, and those whose request time lies in the future. */
  timeless: number;
  future: number;
  /** The key of this coupon that holds another type; what Redis has is unknown then. */
  wrongType: WrongType | null;
  /** Ends of the window that Redis holds as a text that is no time; left out where there are none. */
  unreadable?: WindowField[];
  /** Accepted users who may be missing since Redis lost its records of them, at most; null: none. The coupon is paused meanwhile. */
  mayBeMissing: number | null;
  /** `host:port` of the server that holds it, in a Redis Cluster; otherwise left out. */
  server?: string;
}

/** A coupon as Redis has it, and what the scores of its queue say. */
export interface InRedis {
  redis: RedisCoupon | null;
  times: QueueTimes;
  wrongType: WrongType | null;
  /** The server of the cluster that holds it, and whether it cannot be asked. */
  server: string | null;
  away: boolean;
}

const NO_TIMES: QueueTimes = { oldestUs: null, timeless: 0, future: 0 };

/** Counters and the ends of the queue: as many calls for a million users as for one. */
export async function readRedis(reader: RedisReader, couponId: string, nowMs: number): Promise<InRedis> {
  const nothing: InRedis = { redis: null, times: NO_TIMES, wrongType: null, server: reader.serverOf(couponId), away: false };
  try {
    const redis = await reader.coupon(couponId);
    const times = redis && redis.waiting > 0 ? await reader.queueTimes(couponId, nowMs) : NO_TIMES;
    return { ...nothing, redis, times };
  } catch (error) {
    if (error instanceof WrongTypeError) return { ...nothing, wrongType: error.wrong };
    if (isPartialOutage(error)) return { ...nothing, away: true };
    throw error;
  }
}

/** @param nowMs Redis TIME */
export function couponState(
  couponId: string,
  ledger: LedgerCoupon | null,
  { redis, times, wrongType, server, away }: InRedis,
  nowMs: number,
  keyStyle: string,
): CouponState {
  const unreadable = redis ? unreadableWindow(redis) : [];
  const waitedMs = times.oldestUs === null ? null : nowMs - Math.floor(times.oldestUs / 1_000);
  return {
    couponId,
    name: ledger?.name ?? redis?.name ?? '',
    state: wrongType ? 'wrong_type' : away ? 'server_away' : stateByWindow(stateOf(ledger, redis, keyStyle), unreadable),
    suspect: redis?.suspect || null,
    total: ledger?.total ?? redis?.total ?? null,
    stock: redis?.stock ?? null,
    waiting: redis?.waiting ?? null,
    claimed: redis?.claimed ?? null,
    dead: redis?.dead ?? null,
    issued: ledger?.issuedQuantity ?? null,
    oldestWaitingMs: waitedMs === null || waitedMs < -AHEAD_MS ? null : Math.max(0, waitedMs),
    timeless: times.timeless,
    future: times.future,
    wrongType,
    mayBeMissing: ledger?.mayBeMissing ?? null,
    ...(unreadable.length > 0 ? { unreadable } : {}),
    ...(server === null ? {} : { server }),
  };
}

function stateOf(ledger: LedgerCoupon | null, redis: RedisCoupon | null, keyStyle: string): string {
  if (!ledger) return 'missing_in_ledger';
  if (ledger.keyStyle !== keyStyle) return 'other_key_style';
  if (ledger.state !== 'ready') return ledger.state;
  return redis ? redis.state : 'missing_in_redis';
}
