import type { Claim } from '../../src/campaign/coupon.ts';
import type { Campaign, LedgerEntry } from './state.ts';

export interface CommitOptions {
  epoch: string;
  worker: string;
  /** When the row of this user is written. */
  issuedAt(userId: string): Date;
}

/** As {@link ../../app/issue-batch.ts}: `rows` are in the ledger whatever else is said. */
export interface CommitAnswer {
  rows: LedgerEntry[];
  refused: { userId: string; fence: number; reason: string }[];
  stopped: { status: 'epoch' | 'ended' } | { status: 'guarded'; constraint: string } | null;
}

/**
 * Issues a batch. A batch that the ledger refuses for the fault of a row is halved until that row stands alone; one that would pass
 * the total is nobody's fault, and ends it.
 */
export function commit(campaign: Campaign, claims: readonly Claim[], options: CommitOptions): CommitAnswer {
  const transaction = issueAll(campaign, claims, options);
  if (transaction !== 'refused') return transaction;
  const [only] = claims;
  if (claims.length === 1) {
    const { userId, fence } = only!;
    return { rows: [], refused: [{ userId, fence, reason: campaign.refuses(userId)! }], stopped: null };
  }
  const middle = Math.ceil(claims.length / 2);
  const first = commit(campaign, claims.slice(0, middle), options);
  if (first.stopped) return first;
  const second = commit(campaign, claims.slice(middle), options);
  return {
    rows: [...first.rows, ...second.rows],
    refused: [...first.refused, ...second.refused],
    stopped: second.stopped,
  };
}

/** One transaction: all of them, or nothing. Whoever has a row keeps it, and does not count again. */
function issueAll({ couponId, ledger, refuses }: Campaign, claims: readonly Claim[], options: CommitOptions): CommitAnswer | 'refused' {
  const nothing = { rows: [], refused: [] };
  if (ledger.epoch !== options.epoch) return { ...nothing, stopped: { status: 'epoch' } };
  if (claims.some(({ fence }) => fence < ledger.minFence)) return { ...nothing, stopped: { status: 'ended' } };
  if (claims.some(({ userId }) => refuses(userId) !== null)) return 'refused';
  const fresh = claims.filter(({ userId }) => !ledger.rows.has(userId));
  if (ledger.issuedQuantity + fresh.length > ledger.total) {
    return { ...nothing, stopped: { status: 'guarded', constraint: 'coupons_total' } };
  }
  for (const { userId, score, fence, deliveries } of fresh) {
    const requestedAt = new Date(Math.floor(score / 1_000));
    const dates = { requestedAt, issuedAt: options.issuedAt(userId), expiresAt: null, usedAt: null, revokedAt: null };
    ledger.rows.set(userId, { userId, couponId, requestedUs: score, ...dates, worker: options.worker, fence, deliveries, returned: false });
  }
  ledger.issuedQuantity += fresh.length;
  ledger.maxFence = Math.max(ledger.maxFence, ...claims.map((one) => one.fence));
  // As they are now: what a worker remembers of a row grows old.
  return { ...nothing, rows: claims.map(({ userId }) => ({ ...ledger.rows.get(userId)! })), stopped: null };
}
