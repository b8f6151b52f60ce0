import type { RowView, UserView } from '../../src/core/reconcile.ts';
import type { LedgerCounts, RedisTotals } from '../../src/core/reconcile-coupon.ts';
import { isoTime } from '../../src/core/coupon.ts';

/** What a user may go through, as the scripts and the ledger do it. Steps that do not apply to a user change nothing. */
export const STEPS = ['admit', 'queuedElsewhere', 'claim', 'commit', 'ack', 'release', 'bury'] as const;
export type Step = (typeof STEPS)[number];

export const EPOCH = '00000000-0000-4000-8000-000000000001';
export const NOW_MS = 1_800_000_000_000;
const LEASE_MS = 30_000;

interface User {
  view: UserView;
  row: (RowView & { fence: number; deliveries: number }) | null;
  fence: number;
  deliveries: number;
}

/** A coupon in both stores, small enough to read. Users stand in it with everything that either store would say. */
export class CampaignModel {
  readonly users = new Map<string, User>();
  readonly total: number;
  stock: number;
  lastUs = 1_700_000_000_000_000;
  fence = 0;
  acked = 0;

  constructor(total = 5) {
    this.total = total;
    this.stock = total;
  }

  user(userId: string): User {
    const there = this.users.get(userId);
    if (there) return there;
    const view: UserView = { admitted: null, waiting: null, leaseDeadlineMs: null, claim: null, dead: null, issued: null };
    const user = { view, row: null, fence: 0, deliveries: 0 };
    this.users.set(userId, user);
    return user;
  }

  apply(step: Step, userId: string): void {
    const user = this.user(userId);
    const { view } = user;
    const known = view.admitted !== null || view.waiting !== null || view.issued !== null;
    if (step === 'admit' && !known && this.stock > 0) {
      view.waiting = ++this.lastUs;
      view.admitted = { score: view.waiting, requestId: 'r' };
      this.stock -= 1;
    } else if (step === 'queuedElsewhere' && !known && this.stock > 0) {
      view.waiting = ++this.lastUs;
      this.stock -= 1;
    } else if (step === 'claim') {
      this.#claimOldest();
    } else if (step === 'commit' && view.claim && !user.row) {
      user.row = rowOf(userId, view.claim.score, user.fence, user.deliveries);
    } else if (step === 'ack' && user.row) {
      Object.assign(view, { issued: hashOf(user.row), waiting: null, leaseDeadlineMs: null, claim: null });
      this.acked = Math.max(this.acked, user.row.fence);
    } else if (step === 'release' && view.claim && view.leaseDeadlineMs !== null) {
      Object.assign(view, { waiting: view.claim.score, leaseDeadlineMs: null });
    } else if (step === 'bury' && view.leaseDeadlineMs !== null && !user.row) {
      Object.assign(view, { dead: 'fault', leaseDeadlineMs: null, claim: null });
    }
  }

  totals(): RedisTotals {
    const admitted = [...this.users.values()].filter((user) => user.view.admitted).length;
    const settings = { name: 'Test', opensAt: '', closesAt: '', expiresAt: '', validFor: '' };
    return {
      ...settings,
      total: this.total,
      stock: this.stock,
      returned: 0,
      suspect: '',
      epoch: EPOCH,
      version: 1,
      fence: this.fence,
      acked: this.acked,
      admitted,
    };
  }

  adoptable(): number {
    return [...this.users.values()].filter((user) => user.view.waiting !== null && !user.view.admitted).length;
  }

  counts(): LedgerCounts {
    const rows = [...this.users.values()].flatMap((user) => user.row ?? []);
    return { issuedQuantity: rows.length, rows: rows.length, maxFence: Math.max(0, ...rows.map((row) => row.fence)) };
  }

  #claimOldest(): void {
    const waiting = [...this.users.values()].filter((user) => user.view.waiting !== null);
    const [oldest] = waiting.toSorted((a, b) => a.view.waiting! - b.view.waiting!);
    if (!oldest) return;
    const { view } = oldest;
    const score = view.waiting!;
    this.fence += 1;
    oldest.fence = this.fence;
    oldest.deliveries += 1;
    view.admitted ??= { score, requestId: '' };
    Object.assign(view, { waiting: null, claim: { score, leaseMs: LEASE_MS }, leaseDeadlineMs: NOW_MS + LEASE_MS });
  }
}

export function rowOf(userId: string, requestedUs: number, fence = 1, deliveries = 1): NonNullable<User['row']> {
  const issuedAt = new Date(NOW_MS);
  const requestedAt = new Date(Math.floor(requestedUs / 1_000));
  return { userId, couponId: '42', requestedUs, requestedAt, issuedAt, expiresAt: null, usedAt: null, revokedAt: null, fence, deliveries };
}

/** As `ack.lua` writes it. */
export function hashOf(row: RowView): Record<string, string> {
  return {
    userId: row.userId,
    couponId: row.couponId,
    ex_date: isoTime(row.expiresAt),
    used_at: isoTime(row.usedAt),
    requested_at: isoTime(row.requestedAt),
    issued_at: isoTime(row.issuedAt),
  };
}
