import type { RefusedRow } from './issue-batch.ts';

/** What follows from the rows that the ledger refused in one pass of a coupon. */
export interface RefusalVerdict {
  /** These are to blame themselves. */
  dead: RefusedRow[];
  /** No row explains it: `refused`, the ledger takes no user of this coupon; `busy`, it may take them in a moment. */
  skipped: { status: 'refused' | 'busy'; reason: string; undecided: boolean } | null;
}

/** Deliveries after which a refusal that could be the moment's, or everybody's, is held against the row. */
const PATIENCE = 3;

/**
 * A row is to blame for its refusal when another row of the coupon got through in the same pass. When none did, the coupon is: a trigger
 * that refuses all users must not dead-letter them all. The only user who waits cannot be compared with others, and is `undecided` until
 * the third delivery.
 *
 * @param others whether the coupon has users who were not tried
 */
export function judgeRefusals(refused: readonly RefusedRow[], { issued, others }: { issued: boolean; others: boolean }): RefusalVerdict {
  if (refused.length === 0) return { dead: [], skipped: null };
  const patient = (row: RefusedRow): boolean => row.claim.deliveries >= PATIENCE;
  if (issued) return { dead: refused.filter((row) => row.scope !== 'moment' || patient(row)), skipped: null };
  const [first] = refused.filter((row) => row.scope !== 'moment');
  if (!first) return { dead: [], skipped: { status: 'busy', reason: refused[0]!.reason, undecided: false } };
  const alone = refused.length === 1 && !others && first.scope === 'row';
  if (alone && patient(first)) return { dead: [first], skipped: null };
  return { dead: [], skipped: { status: 'refused', reason: first.reason, undecided: alone } };
}
