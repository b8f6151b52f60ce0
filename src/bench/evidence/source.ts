import type { CouponDefinition } from '../../campaign/coupon.ts';
import type { CouponEvidence } from '../checks/integrity.ts';
import type { UserDirectory } from '../plan/user-plan.ts';
import type { Note } from '../report/report.ts';
import type { IssueTimes } from './issue-times.ts';

/**
 * Where the truth about a run is read: before the load, while it runs, and afterwards. Nothing behind this port writes.
 * `own-stores.ts` reads the stores of this project, `foreign.ts` those of a third-party service.
 */
export interface EvidenceSource {
  /** What a reader should know about evidence from here, whatever the run was. */
  readonly remarks: readonly Note['code'][];

  /**
   * Looks at a coupon before anything is sent.
   *
   * @returns users who have been accepted or issued before; empty for a fresh coupon
   * @throws CouponError of kind `usage` when the load must not be made, or what a store throws that cannot be reached
   */
  preflight(coupon: CouponDefinition, users: UserDirectory, allowUsed: boolean): Promise<Uint32Array>;

  /**
   * How a coupon stands right now; null when there is nothing to look at.
   *
   * @throws CouponError of kind `unreachable` while a store is away
   */
  look(couponId: string): Promise<CouponLook | null>;

  /**
   * Which of these users are not seen to have their coupon, for services that hold users somewhere between queue and coupon where
   * no count shows them; empty where `look` already shows everybody, or where nothing that is read names issued users.
   */
  unserved(couponId: string, userIds: readonly string[]): Promise<readonly string[]>;

  /** What there is to say about a coupon afterwards. A store that cannot be reached leaves its part out. */
  collect(options: EvidenceOptions): Promise<CollectedEvidence>;
}

export interface CouponLook {
  /** Null where the source does not say. */
  stock: number | null;
  waiting: number;
  claimed: number;
  issued: number | null;
  /** Changes whenever something else does that shows the service at work. */
  mark: string;
}

export interface EvidenceOptions {
  couponId: string;
  total: number;
  settled: boolean;
  /** As {@link CouponEvidence.idle}. */
  idle?: boolean;
  before: Uint32Array;
  users: UserDirectory;
  /** Users whose issued coupons to look for when not all can be listed: everyone who asked. */
  asked: Iterable<number>;
}

export interface CollectedEvidence {
  evidence: CouponEvidence;
  /** Of the coupons issued in this run; null without a list of issued coupons. */
  issued: IssueTimes | null;
  /** Codes of stores that could not be read. */
  unreadable: ('REDIS_UNREADABLE' | 'LEDGER_UNREADABLE')[];
  /** Why the list of issued coupons could not be read, where it says. */
  why?: string;
  /** The same of Redis. */
  redisWhy?: string;
}
