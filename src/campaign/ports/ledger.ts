/** Reads of the ledger that several features share; it has the last word on who has a coupon. Every method may throw a CouponError of kind `unreachable`. */
import type { CouponDefinition } from '../coupon.ts';
import type { AckRow } from './acknowledgement.ts';

export type LedgerState = 'seeding' | 'adopting' | 'ready' | 'resetting';

export interface LedgerCoupon extends CouponDefinition {
  issuedQuantity: number;
  /** Rows of revoked coupons that went back into the stock: they do not count as issued. */
  returnedQuantity: number;
  maxFence: number;
  /** The lowest claim that may still issue: `forget` has ended those before it. */
  minFence: number;
  epoch: string;
  version: number;
  state: LedgerState;
  keyStyle: string;
  /** Accepted users who may be missing since Redis lost its records of them, at most; null: none. */
  mayBeMissing: number | null;
  /** Another service goes on writing the hash of the coupon: the name that it has for the stock. Null: no other service writes it. */
  sharedStockField: string | null;
  /** What an operator last said; null: nothing yet. */
  saleState: 'open' | 'paused' | 'closed' | null;
}

/** A ledger row with what only operators look at. */
export interface LedgerRow extends AckRow {
  requestedUs: number;
  worker: string;
  deliveries: number;
}

/** A row that an issued hash proves. */
export interface ProvenRow {
  userId: string;
  requestedUs: number;
  issuedAt: Date;
  expiresAt: Date | null;
  usedAt: Date | null;
  revokedAt: Date | null;
  fence: number;
  deliveries: number;
}

/** What one worker has issued lately. */
export interface WorkerIssues {
  worker: string;
  /** Of the latest rows of all workers. */
  issued: number;
  lastAt: Date;
}

export interface LedgerReader {
  coupons(): Promise<LedgerCoupon[]>;
  coupon(couponId: string): Promise<LedgerCoupon | null>;
  /** Rows in order of user id, after the cursor. */
  page(couponId: string, afterUserId: string, limit: number): Promise<LedgerRow[]>;
  /** Rows of these users, in no order. */
  rows(couponId: string, userIds: readonly string[]): Promise<LedgerRow[]>;
  /** Of the coupon's rows, microseconds; 0: there are none. Reads all of them. */
  latestRequestUs(couponId: string): Promise<number>;
  /** Issued since this instant, for the pace. */
  issuedSince(couponId: string, since: Date): Promise<number>;
  /** Workers of the latest thousand rows that are no older than this. */
  recentWorkers(since: Date): Promise<WorkerIssues[]>;
}
