import { isoTime } from '../../../src/campaign/coupon.ts';
import type { LedgerCoupon, WorkerIssues } from '../../../src/campaign/ports/ledger.ts';
import type { Lease, RedisCoupon } from '../../../src/campaign/ports/redis-reader.ts';
import type { InRedis } from '../../../src/operate/inspect/coupon-state.ts';
import type { LedgerPart, Reading, RedisPart } from '../../../src/operate/live/reading.ts';
import type { LiveView } from '../../../src/operate/live/live-view.ts';
import { nextView, NO_MEMORY, type LiveMemory } from '../../../src/operate/live/view.ts';

/** 2026-01-01T00:00:00Z, at clock 0. */
export const START = Date.UTC(2026, 0, 1);

export interface Given extends Partial<RedisCoupon> {
  id: string;
  issued?: number;
  ledger?: Partial<LedgerCoupon>;
  leases?: Lease[];
  oldestMs?: number;
  wrongType?: InRedis['wrongType'];
  inLedger?: boolean;
  inRedis?: boolean;
}

/** A reading of these coupons at this many seconds after the start. */
export function reading(seconds: number, coupons: readonly Given[], workers: readonly WorkerIssues[] = []): Reading {
  const nowMs = START + seconds * 1_000;
  const ledger: LedgerPart = { coupons: coupons.filter((coupon) => coupon.inLedger !== false).map(inLedger), workers: [...workers] };
  const redis: RedisPart = {
    nowMs,
    coupons: new Map(coupons.map((coupon) => [coupon.id, inRedis(coupon, nowMs)])),
    leases: new Map(coupons.flatMap(({ id, leases }) => (leases ? [[id, leases]] : []))),
    wrongIndex: null,
  };
  return { atMs: nowMs, clockMs: seconds * 1_000, ledger: { value: ledger }, redis: { value: redis } };
}

/** The view after the last of these readings. */
export function viewAfter(readings: readonly Reading[]): LiveView {
  let memory: LiveMemory = NO_MEMORY;
  let view: LiveView | null = null;
  for (const one of readings) ({ view, memory } = nextView(memory, one, 'plain'));
  return view!;
}

function inLedger({ id, name, total, issued, ledger }: Given): LedgerCoupon {
  return {
    id,
    name: name ?? 'Test',
    total: total ?? 100,
    opensAt: null,
    closesAt: null,
    expiry: { kind: 'never' },
    issuedQuantity: issued ?? 0,
    returnedQuantity: 0,
    maxFence: 0,
    epoch: 'e',
    version: 1,
    state: 'ready',
    keyStyle: 'plain',
    sharedStockField: null,
    saleState: null,
    minFence: 0,
    mayBeMissing: null,
    ...ledger,
  };
}

function inRedis(given: Given, nowMs: number): InRedis {
  const { id, oldestMs, wrongType = null, inRedis: there = true, issued: _issued, ledger, leases: _leases, ...fields } = given;
  const redis: RedisCoupon = {
    couponId: id,
    name: 'Test',
    total: 100,
    stock: 100,
    returned: 0,
    givenBack: 0,
    state: 'open',
    suspect: '',
    epoch: 'e',
    version: 1,
    opensAt: isoTime(ledger?.opensAt ?? null),
    closesAt: isoTime(ledger?.closesAt ?? null),
    expiresAt: '',
    validFor: '',
    fence: 0,
    acked: 0,
    admitted: 0,
    waiting: 0,
    claimed: 0,
    dead: 0,
    ...fields,
  };
  const times = { oldestUs: oldestMs === undefined ? null : (nowMs - oldestMs) * 1_000, timeless: 0, future: 0 };
  return { redis: there && wrongType === null ? redis : null, times, wrongType, server: null, away: false };
}
