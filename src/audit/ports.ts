/** What an audit reads besides what every feature does. Every method may throw a CouponError of kind `unreachable`. */
import type { LedgerReader, LedgerRow } from '../campaign/ports/ledger.ts';
import type { RedisReader } from '../campaign/ports/redis-reader.ts';
import type { Clock } from '../lib/clock.ts';

/** Ledger rows compared with Redis, see `compare-rows.lua`. */
export interface RowComparison {
  /** Users about whom it says something else, or something more. */
  differing: string[];
  /** Of the others, those that another service had put into the queue. */
  adopted: string[];
}

export interface AuditReader extends RedisReader {
  /** Holds rows against what Redis knows, for a small part of the cost of reading both in full. */
  compareRows(couponId: string, rows: readonly LedgerBrief[]): Promise<RowComparison>;
  /** Ids of coupons that have a key in one of the three formats, found by walking the whole keyspace. */
  scanCoupons(): Promise<string[]>;
  /** Keys that look like ours and are not, such as those of a serializer, found by walking the whole keyspace. */
  scanForeign(): AsyncIterable<readonly string[]>;
  /** Keys that have a TTL: of the coupon itself, and the issued hashes of these users. Empty also where this may not be asked. */
  expiring(couponId: string, userIds: readonly string[]): Promise<{ own: string[]; issued: string[] }>;
  /** How the issued key of a user is spelled. */
  issuedKey(couponId: string, userId: string): string;
}

/** A ledger row in short: the user's turn, and all that Redis must say too as one text. */
export interface LedgerBrief extends Pick<LedgerRow, 'userId' | 'requestedUs' | 'fence' | 'deliveries'> {
  text: string;
}

/** From one snapshot, read after Redis. */
export interface LedgerCounts {
  issuedQuantity: number;
  returnedQuantity: number;
  rows: number;
  /** Of the rows, those whose coupons went back into the stock. */
  returned: number;
  maxFence: number;
}

export interface AuditLedger extends LedgerReader {
  /** As {@link page}, in short. */
  briefs(couponId: string, afterUserId: string, limit: number): Promise<LedgerBrief[]>;
  /** `issued_quantity`, the number of rows, and the highest fence, from one snapshot. */
  counts(couponId: string): Promise<LedgerCounts | null>;
}

export interface AuditPorts {
  reader: AuditReader;
  ledger: AuditLedger;
  clock: Clock;
}
