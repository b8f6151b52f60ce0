import { chunked } from '../../lib/chunked.ts';
import type { WrongType } from '../../campaign/wrong-type.ts';
import { knownCoupon } from '../../campaign/known-coupon.ts';
import { onlyInRedis } from '../../campaign/only-in-redis.ts';
import type { LedgerCoupon, LedgerReader } from '../../campaign/ports/ledger.ts';
import type { RedisReader } from '../../campaign/ports/redis-reader.ts';
import { saleState, windowOf } from '../../campaign/sale-state.ts';
import { couponWarnings } from '../live/warnings.ts';
import { couponState, readRedis, type CouponState, type InRedis } from './coupon-state.ts';
import { inOrder, ofStates, troubledOf } from './order.ts';

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

/** One coupon at a glance; `state` is one of `SALE_STATES`, or why the stores cannot say. */
export interface CouponLine extends CouponState {
  /** From the ledger; null: without a beginning or an end, or not in the ledger. */
  opensAt: string | null;
  closesAt: string | null;
  issuedLastMinute: number;
  /** Until all waiting users are issued, at the pace of the last minute; 0: no user waits; null: nothing was issued in that minute. */
  timeLeftMs: number | null;
}

export interface CouponList {
  coupons: CouponLine[];
  /** All coupons of the states that were asked for, not only those of this part. */
  total: number;
  next: string | null;
  /** The index of Redis holds another type, so coupons that only Redis has are not shown; null: it does not. */
  wrongIndex: WrongType | null;
  /** Keys of any kind in Redis, where there are some but no coupon of ours; otherwise left out. */
  otherKeys?: number;
  /** The coupon named by `after` is none of them, so this is the head of the list; otherwise left out. */
  restarted?: true;
}

const MINUTE_MS = 60_000;
/** Coupons read at the same time. */
const CONCURRENT_READS = 20;

/**
 * All coupons of either store, what needs a person first. Counters only: nothing here walks over users or keys.
 *
 * @param states empty: all
 */
export async function inspectCoupons(
  ports: InspectPorts,
  { limit, after }: PageOptions,
  states: readonly string[] = [],
): Promise<CouponList> {
  const known = new Map((await ports.ledger.coupons()).map((coupon) => [coupon.id, coupon]));
  const { couponIds: orphans, wrongIndex } = await onlyInRedis(ports);
  const all = [...known.keys(), ...orphans];
  const nowMs = await ports.reader.now();
  const read = async (couponId: string): Promise<InRedis> => readRedis(ports.reader, couponId, nowMs);
  const found: { coupon: CouponState; troubled: boolean }[] = [];
  for (const chunk of chunked(all, CONCURRENT_READS)) {
    const looks = chunk.map(async (couponId) => {
      const ledger = known.get(couponId) ?? null;
      const inRedis = await read(couponId);
      const coupon = couponState(couponId, ledger, inRedis, nowMs, ports.keyStyle);
      return { coupon: asSale(coupon, inRedis, ledger, nowMs), troubled: troubledOf(couponWarnings(coupon, [])).size > 0 };
    });
    found.push(...(await Promise.all(looks)));
  }
  const troubled = new Set(found.flatMap((one) => (one.troubled ? [one.coupon.couponId] : [])));
  const shown = ofStates(
    inOrder(
      found.map(({ coupon }) => coupon),
      troubled,
    ),
    states,
  );
  const at = after === null ? -1 : shown.findIndex(({ couponId }) => couponId === after);
  const left = shown.slice(at + 1);
  const page = left.slice(0, limit);
  const coupons: CouponLine[] = [];
  for (const chunk of chunked(page, CONCURRENT_READS)) {
    const lines = chunk.map(async (coupon) => {
      const ledger = known.get(coupon.couponId) ?? null;
      return withPace(coupon, ledger, await issuedLastMinute(ports, ledger, nowMs));
    });
    coupons.push(...(await Promise.all(lines)));
  }
  const otherKeys = all.length === 0 ? await ports.reader.keyCount() : null;
  return {
    coupons,
    total: shown.length,
    next: left.length > limit ? page.at(-1)!.couponId : null,
    wrongIndex,
    ...(otherKeys ? { otherKeys } : {}),
    ...(after !== null && at < 0 ? { restarted: true } : {}),
  };
}

function asSale(coupon: CouponState, { redis }: InRedis, ledger: LedgerCoupon | null, nowMs: number): CouponState {
  return { ...coupon, state: saleState({ ...coupon, ...windowOf(redis, ledger) }, nowMs) };
}

/** One coupon with everything that both stores say about it. */
export interface CouponDetail extends CouponLine {
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
  const coupon = asSale(couponState(couponId, ledger, inRedis, nowMs, ports.keyStyle), inRedis, ledger, nowMs);
  const line = withPace(coupon, ledger, await issuedLastMinute(ports, ledger, nowMs));
  const { expiry } = ledger;
  return {
    ...line,
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

function withPace(coupon: CouponState, ledger: LedgerCoupon | null, lastMinute: number): CouponLine {
  const backlog = (coupon.waiting ?? 0) + (coupon.claimed ?? 0);
  const timeLeftMs = backlog === 0 ? 0 : lastMinute === 0 ? null : Math.round((backlog * MINUTE_MS) / lastMinute);
  const window = { opensAt: ledger?.opensAt?.toISOString() ?? null, closesAt: ledger?.closesAt?.toISOString() ?? null };
  return { ...coupon, ...window, issuedLastMinute: lastMinute, timeLeftMs };
}

async function issuedLastMinute({ ledger }: InspectPorts, coupon: LedgerCoupon | null, nowMs: number): Promise<number> {
  return coupon ? ledger.issuedSince(coupon.id, new Date(nowMs - MINUTE_MS)) : 0;
}
