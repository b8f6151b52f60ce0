import { chunked } from '../lib/chunked.ts';
import { WrongTypeError, type WrongType } from '../campaign/wrong-type.ts';
import { isPartialOutage } from '../campaign/partial-outage.ts';
import { knownCoupon } from '../campaign/known-coupon.ts';
import { onlyInRedis } from '../campaign/only-in-redis.ts';
import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import { AHEAD_MS, type QueueTimes, type RedisCoupon, type RedisReader } from '../campaign/ports/redis-reader.ts';

export interface InspectPorts {
  reader: RedisReader;
  ledger: LedgerReader;
  keyStyle: string;
}

/** A part of a long list. `after` is where the last part ended, `next` where this one does; null: there is no more. */
export interface PageOptions {
  limit: number;
  after: string | null;
}

/** One coupon at a glance. Null: unknown, because the store that would know has no such coupon. */
export interface CouponLine {
  couponId: string;
  name: string;
  /**
   * `open`, `paused` or `closed` as Redis has it; else why it cannot say: `seeding`, `resetting`, `missing_in_redis`,
   * `missing_in_ledger`, `other_key_style`, `wrong_type`, `server_away` (its server of a Redis Cluster cannot be asked).
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
  /** Accepted users who may be missing since Redis lost its records of them, at most; null: none. The coupon is paused meanwhile. */
  mayBeMissing: number | null;
  issuedLastMinute: number;
  /** Until everybody who waits is issued, at the pace of the last minute; null: nothing was issued in it. */
  timeLeftMs: number | null;
  /** `host:port` of the server that holds it, in a Redis Cluster; otherwise left out. */
  server?: string;
}

export interface CouponList {
  coupons: CouponLine[];
  /** All coupons, not only those of this part. */
  total: number;
  next: string | null;
  /** The index of Redis holds another type, so coupons that only Redis has are not shown; null: it does not. */
  wrongIndex: WrongType | null;
  /** Keys of any kind in Redis, where there are some but no coupon of ours; otherwise left out. */
  otherKeys?: number;
}

const MINUTE_MS = 60_000;
/** Coupons read at the same time. */
const CONCURRENT_READS = 20;

/** All coupons of either store, in order of id. Counters only: nothing here walks over users or keys. */
export async function inspectCoupons(ports: InspectPorts, { limit, after }: PageOptions): Promise<CouponList> {
  const known = new Map((await ports.ledger.coupons()).map((coupon) => [coupon.id, coupon]));
  const { couponIds: orphans, wrongIndex } = await onlyInRedis(ports);
  const all = [...known.keys(), ...orphans].toSorted();
  const left = after === null ? all : all.filter((couponId) => couponId > after);
  const page = left.slice(0, limit);
  const nowMs = await ports.reader.now();
  const coupons: CouponLine[] = [];
  for (const chunk of chunked(page, CONCURRENT_READS)) {
    const lines = chunk.map(async (couponId) => {
      const ledger = known.get(couponId) ?? null;
      return couponLine(
        couponId,
        ledger,
        await readRedis(ports.reader, couponId, nowMs),
        await issuedLastMinute(ports, ledger, nowMs),
        nowMs,
        ports.keyStyle,
      );
    });
    coupons.push(...(await Promise.all(lines)));
  }
  const otherKeys = all.length === 0 ? await ports.reader.keyCount() : null;
  return { coupons, total: all.length, next: left.length > limit ? page.at(-1)! : null, wrongIndex, ...(otherKeys ? { otherKeys } : {}) };
}

/** One coupon with everything that both stores say about it. */
export interface CouponDetail extends CouponLine {
  opensAt: string | null;
  closesAt: string | null;
  /** Expiry of the issued coupons: an instant, a duration counted from issue, or null for never. */
  expiresAt: string | null;
  validForMs: number | null;
  keyStyle: string;
  /** Everyone ever accepted. */
  admitted: number | null;
  returned: number | null;
  epoch: { ledger: string; redis: string | null };
  version: { ledger: number; redis: number | null };
  fence: { ledger: number; redis: number | null };
}

/** @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH` */
export async function inspectCoupon(ports: InspectPorts, couponId: string): Promise<CouponDetail> {
  const ledger = await ledgerCoupon(ports, couponId);
  const nowMs = await ports.reader.now();
  const inRedis = await readRedis(ports.reader, couponId, nowMs);
  const { redis } = inRedis;
  const line = couponLine(couponId, ledger, inRedis, await issuedLastMinute(ports, ledger, nowMs), nowMs, ports.keyStyle);
  const { expiry } = ledger;
  return {
    ...line,
    opensAt: ledger.opensAt?.toISOString() ?? null,
    closesAt: ledger.closesAt?.toISOString() ?? null,
    expiresAt: expiry.kind === 'at' ? expiry.at.toISOString() : null,
    validForMs: expiry.kind === 'after' ? expiry.ms : null,
    keyStyle: ledger.keyStyle,
    admitted: redis?.admitted ?? null,
    returned: redis?.returned ?? null,
    epoch: { ledger: ledger.epoch, redis: redis?.epoch ?? null },
    version: { ledger: ledger.version, redis: redis?.version ?? null },
    fence: { ledger: ledger.maxFence, redis: redis?.fence ?? null },
  };
}

/**
 * The coupon that a user of `inspect` named. Unlike other commands this one also shows what is not finished or out of service.
 *
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`
 */
export async function ledgerCoupon({ ledger, keyStyle }: InspectPorts, couponId: string): Promise<LedgerCoupon> {
  const coupon = await ledger.coupon(couponId);
  return coupon?.keyStyle === keyStyle ? coupon : knownCoupon(ledger, couponId, keyStyle);
}

/** A coupon as Redis has it, and what the scores of its queue say. */
interface InRedis {
  redis: RedisCoupon | null;
  times: QueueTimes;
  wrongType: WrongType | null;
  /** The server of the cluster that holds it, and whether it cannot be asked. */
  server: string | null;
  away: boolean;
}

async function readRedis(reader: RedisReader, couponId: string, nowMs: number): Promise<InRedis> {
  const nothing: InRedis = {
    redis: null,
    times: { oldestUs: null, timeless: 0, future: 0 },
    wrongType: null,
    server: reader.serverOf(couponId),
    away: false,
  };
  try {
    const redis = await reader.coupon(couponId);
    const times = redis && redis.waiting > 0 ? await reader.queueTimes(couponId, nowMs) : nothing.times;
    return { ...nothing, redis, times };
  } catch (error) {
    if (error instanceof WrongTypeError) return { ...nothing, wrongType: error.wrong };
    if (isPartialOutage(error)) return { ...nothing, away: true };
    throw error;
  }
}

function couponLine(
  couponId: string,
  ledger: LedgerCoupon | null,
  { redis, times, wrongType, server, away }: InRedis,
  lastMinute: number,
  nowMs: number,
  keyStyle: string,
): CouponLine {
  const backlog = (redis?.waiting ?? 0) + (redis?.claimed ?? 0);
  const waitedMs = times.oldestUs === null ? null : nowMs - Math.floor(times.oldestUs / 1_000);
  return {
    couponId,
    name: ledger?.name ?? redis?.name ?? '',
    state: wrongType ? 'wrong_type' : away ? 'server_away' : stateOf(ledger, redis, keyStyle),
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
    issuedLastMinute: lastMinute,
    timeLeftMs: backlog === 0 ? 0 : lastMinute === 0 ? null : Math.round((backlog * MINUTE_MS) / lastMinute),
    ...(server === null ? {} : { server }),
  };
}

function stateOf(ledger: LedgerCoupon | null, redis: RedisCoupon | null, keyStyle: string): string {
  if (!ledger) return 'missing_in_ledger';
  if (ledger.keyStyle !== keyStyle) return 'other_key_style';
  if (ledger.state !== 'ready') return ledger.state;
  return redis ? redis.state : 'missing_in_redis';
}

async function issuedLastMinute({ ledger }: InspectPorts, coupon: LedgerCoupon | null, nowMs: number): Promise<number> {
  return coupon ? ledger.issuedSince(coupon.id, new Date(nowMs - MINUTE_MS)) : 0;
}
