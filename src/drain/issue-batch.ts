import type { Claim } from '../campaign/coupon.ts';
import type { AckRow, IssueOptions, Ledger, Refused } from '../campaign/ports.ts';

/** What a batch came to. `rows` are in the ledger whatever else is said. */
export interface BatchResult {
  rows: AckRow[];
  /** Rows that the ledger refuses each by itself. */
  refused: Refused[];
  /** Why the rest was not tried: another life of the coupon, or a constraint that no user of the batch is to blame for. */
  stopped: { status: 'epoch' } | { status: 'guarded'; constraint: string } | null;
}

/**
 * Issues a batch. When the ledger refuses it for a fault of some row, the row is found by halving: k rows at fault among n cost
 * about 2 k log2(n) statements more, and never stop the others.
 *
 * @throws CouponError as the ledger does; rows of halves that were committed before are then issued and not returned, which is the
 *   same as a lost reply
 */
export async function issueBatch(
  ledger: Pick<Ledger, 'issue'>,
  couponId: string,
  claims: readonly Claim[],
  options: IssueOptions,
): Promise<BatchResult> {
  const done: BatchResult = { rows: [], refused: [], stopped: null };
  const left: (readonly Claim[])[] = [claims];
  for (let part = left.pop(); part && !done.stopped; part = left.pop()) {
    const result = await ledger.issue(couponId, part, options);
    if (result.status === 'ok') done.rows.push(...result.rows);
    else if (result.status !== 'refused') done.stopped = result;
    else if (part.length === 1) done.refused.push({ userId: part[0]!.userId, fence: part[0]!.fence, reason: result.reason });
    else {
      const middle = Math.ceil(part.length / 2);
      // The earlier half first, as everywhere.
      left.push(part.slice(middle), part.slice(0, middle));
    }
  }
  return done;
}
