/**
 * The reference model of one coupon in both stores, written for reading: what the scripts in `redis/lua`, the ledger and a repair must
 * do, user by user and without any I/O. The tests drive it and the real stores through the same histories; nothing else calls it.
 *
 * This file says what there is. `admission` takes requests, `claims` and `ledger` are the steps of a worker (`worker` keeps what it
 * remembers between them), `use` and `revoke` are the end of an issued coupon, `adopt` takes over a coupon of a third-party service,
 * `operate` is what else an operator changes or removes, `doubt` is what may happen to the stores and how that is noticed, `dead` and `repair` are the operator's.
 * `drift` says what is wrong with a state: there are things that must never happen, whatever becomes of the stores, and things
 * that only lost data can bring about, and that a repair must mend.
 *
 * Times are numbers or dates that come from outside: the model has no clock.
 */
import { isoTime, scoreToMicros } from '../../src/campaign/coupon.ts';
import { unescapeMember } from '../../src/campaign/member.ts';
import type { RowView } from '../../src/audit/reconcile/user.ts';

export interface Campaign {
  couponId: string;
  /** Id of the Redis server that answers now; another one after a restart. */
  server: string;
  redis: RedisSide;
  ledger: LedgerSide;
  /** Why the ledger would refuse the row of this user; null: it would not. */
  refuses(userId: string): string | null;
}

/** Users of the coupon by the place they stand in. Whoever is in none of the maps is unknown to Redis. */
export interface RedisSide {
  /** Null: Redis does not have the coupon. */
  coupon: CouponHash | null;
  admitted: Map<string, { score: number; requestId: string }>;
  waiting: Map<string, number>;
  /** Deadline in milliseconds. */
  leases: Map<string, number>;
  claims: Map<string, ClaimRecord>;
  /** Reason. */
  dead: Map<string, string>;
  issued: Map<string, Readonly<Record<string, string>>>;
  /** Users whose issued key holds another type: what another program wrote there. */
  occupied: Set<string>;
  /** Epoch of the life in which these users were accepted, apart from the coupon; null: Redis lost it. */
  life: string | null;
}

export interface CouponHash {
  total: number;
  /** NaN: another program rewrote the hash. */
  stock: number;
  returned: number;
  /** Of these, what revocations have put back into the stock. */
  givenBack: number;
  /** Why the coupon is out of service; empty: it is not. */
  suspect: string;
  /** Requests are taken while it is `open`; empty: another program rewrote the hash. */
  state: '' | 'open' | 'paused' | 'closed';
  /** Of the settings, those that the histories change: the name, and the end of the sale; empty: none. */
  name: string;
  closesAt: string;
  /** Of the settings; NaN: another program rewrote the hash, with settings of its own. */
  version: number;
  epoch: string;
  /** The server for which it was last checked against the ledger. */
  run: string;
  lastUs: number;
  /** NaN: another program rewrote the hash. */
  fence: number;
  acked: number;
  /** As in {@link LedgerSide}; 0: another program rewrote the hash. */
  minFence: number;
  /** The worker that drains the backlog alone; empty: none does, or its time is over. */
  drainedBy: string;
}

/** Kept while a user waits again: deliveries and faults go on counting. */
export interface ClaimRecord {
  fence: number;
  worker: string;
  score: number;
  leaseMs: number;
  deliveries: number;
  faults: number;
}

export interface LedgerSide {
  total: number;
  epoch: string;
  issuedQuantity: number;
  returnedQuantity: number;
  version: number;
  /** As in {@link CouponHash}. */
  name: string;
  closesAt: string;
  /** The service that the coupon was adopted from goes on writing its hash. */
  shared: boolean;
  /** What an operator last said; empty: nothing yet. */
  saleState: CouponHash['state'];
  maxFence: number;
  /** The lowest claim that may still issue. */
  minFence: number;
  /** How many accepted users may be missing, at most; null: none. */
  mayBeMissing: number | null;
  /** Lives that a reset has ended. */
  ended: Set<string>;
  rows: Map<string, LedgerEntry>;
}

export interface LedgerEntry extends RowView {
  worker: string;
  fence: number;
  deliveries: number;
  /** Revoked, and back in the stock: it does not count as issued. */
  returned: boolean;
}

export const FIRST_NAME = 'Test';

/** A coupon as seeding leaves it. */
export function seeded(campaign: Pick<Campaign, 'couponId' | 'server' | 'refuses'>, total: number, epoch: string): Campaign {
  const counters = { returned: 0, givenBack: 0, lastUs: 0, fence: 0, acked: 0, minFence: 0 };
  const settings = { version: 1, name: FIRST_NAME, closesAt: '' };
  const state = { suspect: '', state: 'open' as const, drainedBy: '', run: campaign.server };
  const coupon: CouponHash = { total, stock: total, ...settings, epoch, ...state, ...counters };
  const ledger = {
    total,
    epoch,
    ...settings,
    shared: false,
    saleState: '' as const,
    issuedQuantity: 0,
    returnedQuantity: 0,
    maxFence: 0,
    minFence: 0,
    mayBeMissing: null,
    ended: new Set<string>(),
    rows: new Map(),
  };
  return { ...campaign, redis: { ...emptyRedis(), coupon, life: epoch }, ledger };
}

export function emptyRedis(): RedisSide {
  return {
    coupon: null,
    admitted: new Map(),
    waiting: new Map(),
    leases: new Map(),
    claims: new Map(),
    dead: new Map(),
    issued: new Map(),
    occupied: new Set(),
    life: null,
  };
}

/** The issued hash of a row, as an ack writes it. */
export function hashOf(row: RowView): Record<string, string> {
  return {
    userId: row.userId,
    couponId: row.couponId,
    ex_date: isoTime(row.expiresAt),
    used_at: isoTime(row.usedAt),
    requested_at: isoTime(row.requestedAt),
    issued_at: isoTime(row.issuedAt),
    ...(row.revokedAt ? { revoked_at: isoTime(row.revokedAt) } : {}),
  };
}

/**
 * By request time, equal times by user id. Those whose score is no time stand where the next request would, in the order of the scores.
 *
 * @param nextUs time of the next request of the coupon: after all that it has accepted, also where a clock was ahead
 */
export function oldestFirst(waiting: ReadonlyMap<string, number>, nextUs: number): string[] {
  const time = (userId: string): number => scoreToMicros(waiting.get(userId)!) ?? nextUs;
  return queueOrder(waiting).toSorted((a, b) => time(a) - time(b));
}

/** As Redis has it: by score, equal scores by user id. */
export function queueOrder(waiting: ReadonlyMap<string, number>): string[] {
  const compare = (a: string, b: string): number => (waiting.get(a)! < waiting.get(b)! ? -1 : 1);
  // Members of one score are in the order of their bytes, which is not that of the texts that they are known by.
  const bytes = (member: string): Uint8Array => Buffer.from(unescapeMember(member));
  return [...waiting.keys()].toSorted((a, b) => (waiting.get(a) === waiting.get(b) ? Buffer.compare(bytes(a), bytes(b)) : compare(a, b)));
}
