/** What is shown of all campaigns at one moment. */
import type { CouponState } from '../inspect/coupon-state.ts';
import type { LiveWarning } from './warnings.ts';
import type { LiveWorker } from './workers.ts';

export interface LiveCoupon extends Omit<CouponState, 'wrongType'> {
  /** As users meet it: `scheduled`, `open`, `paused`, `sold_out`, `ended`, `closed`, `suspect`; else as in {@link CouponState}. */
  state: string;
  /** Over the last ten seconds; null: two readings are needed. */
  acceptedPerSecond: number | null;
  issuedPerSecond: number | null;
  /** Until everybody who waits is issued at this pace; null: nobody is issued. */
  timeLeftMs: number | null;
  /** Per second, from one reading to the next, the latest last; null: a store was away. */
  history: { accepted: (number | null)[]; issued: (number | null)[] };
}

export interface LiveStore {
  up: boolean;
  /** Why there is no answer, and how old the figures are that are shown instead; null: they are of now, or there are none. */
  problem: string | null;
  silentMs: number | null;
}

export interface LiveView {
  /** ISO 8601. */
  at: string;
  stores: { redis: LiveStore; ledger: LiveStore };
  totals: { coupons: number; waiting: number; claimed: number; acceptedPerSecond: number | null; issuedPerSecond: number | null };
  coupons: LiveCoupon[];
  workers: LiveWorker[];
  warnings: LiveWarning[];
}
