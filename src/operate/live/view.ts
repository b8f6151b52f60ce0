/**
 * From readings to what is shown: pure. A view is made of the newest reading and of a memory of those before, which holds the history of
 * each coupon, what a store said last before it went away, and workers that were seen a moment ago.
 */
import { saleState, windowOf } from '../../campaign/sale-state.ts';
import { couponState, type InRedis } from '../inspect/coupon-state.ts';
import { inOrder, troubledOf } from '../inspect/order.ts';
import type { LiveCoupon, LiveStore, LiveView } from './live-view.ts';
import { nextSamples, perSecond, pointsOf, type Sample } from './history.ts';
import type { LedgerPart, Reading, RedisPart, Told } from './reading.ts';
import { couponWarnings, indexWarning, workerWarnings, type LiveWarning } from './warnings.ts';
import { workersOf, type SeenWorker } from './workers.ts';

interface Last<T> {
  value: T;
  clockMs: number;
}

export interface LiveMemory {
  samples: ReadonlyMap<string, readonly Sample[]>;
  redis: Last<RedisPart> | null;
  ledger: Last<LedgerPart> | null;
  workers: ReadonlyMap<string, SeenWorker>;
}

export const NO_MEMORY: LiveMemory = { samples: new Map(), redis: null, ledger: null, workers: new Map() };

const UNHEARD: InRedis = {
  redis: null,
  times: { oldestUs: null, timeless: 0, future: 0 },
  wrongType: null,
  server: null,
  away: true,
};

export function nextView(memory: LiveMemory, reading: Reading, keyStyle: string): { view: LiveView; memory: LiveMemory } {
  const redis = latest(reading.redis, memory.redis, reading.clockMs);
  const ledger = latest(reading.ledger, memory.ledger, reading.clockMs);
  const known = new Map((ledger?.value.coupons ?? []).map((coupon) => [coupon.id, coupon]));
  const nowMs = redis?.value.nowMs ?? reading.atMs;
  const samples = new Map<string, readonly Sample[]>();
  const coupons: LiveCoupon[] = [];
  const warnings: LiveWarning[] = [];
  const found = new Set([...known.keys(), ...(redis?.value.coupons.keys() ?? [])]);
  for (const couponId of found) {
    const definition = known.get(couponId) ?? null;
    const inRedis = redis?.value.coupons.get(couponId) ?? UNHEARD;
    // An id that is only in the index is no coupon; a reset that stopped half-way leaves such behind.
    if (definition === null && inRedis.redis === null && inRedis.wrongType === null) continue;
    const { wrongType, ...state } = couponState(couponId, definition, inRedis, nowMs, keyStyle);
    const own = nextSamples(memory.samples.get(couponId) ?? [], {
      clockMs: reading.clockMs,
      epoch: definition?.epoch ?? '',
      accepted: 'value' in reading.redis ? (inRedis.redis?.admitted ?? null) : null,
      // Revoked coupons that went back into the stock were issued all the same.
      issued: 'value' in reading.ledger && definition ? definition.issuedQuantity + definition.returnedQuantity : null,
    });
    samples.set(couponId, own);
    const issuedPerSecond = perSecond(own, 'issued');
    const backlog = (state.waiting ?? 0) + (state.claimed ?? 0);
    coupons.push({
      ...state,
      state: saleState({ ...state, ...windowOf(inRedis.redis, definition) }, nowMs),
      acceptedPerSecond: perSecond(own, 'accepted'),
      issuedPerSecond,
      timeLeftMs: backlog === 0 ? 0 : issuedPerSecond ? Math.round((backlog / issuedPerSecond) * 1_000) : null,
      history: { accepted: pointsOf(own, 'accepted'), issued: pointsOf(own, 'issued') },
    });
    warnings.push(...couponWarnings({ ...state, wrongType, name: state.name }, own));
  }
  const seen = workersOf(redis?.value, ledger?.value.workers ?? [], memory.workers, nowMs);
  const view: LiveView = {
    at: new Date(reading.atMs).toISOString(),
    stores: { redis: storeOf(reading.redis, redis, reading.clockMs), ledger: storeOf(reading.ledger, ledger, reading.clockMs) },
    totals: {
      coupons: coupons.length,
      waiting: sum(coupons.map(({ waiting }) => waiting)) ?? 0,
      claimed: sum(coupons.map(({ claimed }) => claimed)) ?? 0,
      acceptedPerSecond: sum(coupons.map((coupon) => coupon.acceptedPerSecond)),
      issuedPerSecond: sum(coupons.map((coupon) => coupon.issuedPerSecond)),
    },
    coupons: inOrder(coupons, troubledOf(warnings)),
    workers: seen.workers,
    warnings: [...indexWarning(redis?.value.wrongIndex ?? null), ...warnings, ...workerWarnings(seen.workers)],
  };
  return { view, memory: { samples, redis, ledger, workers: seen.memory } };
}

function latest<T>(told: Told<T>, before: Last<T> | null, clockMs: number): Last<T> | null {
  return 'value' in told ? { value: told.value, clockMs } : before;
}

function storeOf(told: Told<unknown>, last: Last<unknown> | null, clockMs: number): LiveStore {
  if ('value' in told) return { up: true, problem: null, silentMs: null };
  return { up: false, problem: told.problem, silentMs: last === null ? null : clockMs - last.clockMs };
}

/** Null where nothing is known. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.round(known.reduce((total, value) => total + value, 0) * 10) / 10;
}
