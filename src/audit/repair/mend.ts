/**
 * What a repair does for one user: one step, from what both stores know about that user. Pure, so that a plan and its run come to the
 * same, and count the same.
 */
import type { FindingCode } from '../findings.ts';
import { scoreToMicros } from '../../campaign/coupon.ts';
import type { RowView, UserView, UserVerdict } from '../reconcile/user.ts';

/** In the order in which they are taken for one user. */
const CHANGES = {
  /** Write the row that the issued hash proves. */
  restoreRow: false,
  /** Write the admission, with one request time for all places. */
  adopt: false,
  /** Acknowledge the row again: the hash is written, and every other place is left. */
  ack: false,
  /** Write the fields of the hash from the row. */
  rehash: false,
  requeue: false,
};

export type UserStep = 'adopt' | 'restore_row' | 'rebuild_admission' | 'rebuild_hash' | 'requeue';

export interface Mend extends Readonly<typeof CHANGES> {
  step: UserStep;
  /** Findings that it answers; none for a member of the queue that another service wrote. */
  because: FindingCode[];
}

type Judged = { user: UserView; row: RowView | null; verdict: Pick<UserVerdict, 'findings'> };
type Has = (...codes: FindingCode[]) => boolean;
type Make = (step: UserStep, changes: Partial<typeof CHANGES>) => Mend;

const ASTRAY: readonly FindingCode[] = ['lost', 'claim_without_lease', 'lease_without_claim', 'lease_absurd'];

/**
 * Null: nothing is to be done, or nothing can be.
 *
 * @param roomForRows whether the ledger has room for every row that hashes prove: a repair does not decide who of them is left out
 */
export function mendUser({ user, row, verdict }: Judged, roomForRows: boolean): Mend | null {
  const because: FindingCode[] = verdict.findings.map((found) => found.code).filter((code) => code !== 'hash_wrong_type');
  const has: Has = (...codes) => codes.some((code) => because.includes(code));
  const make: Make = (step, changes) => ({ step, because, ...CHANGES, ...changes });
  if (row) return mendIssued(user, has, make);
  if (roomForRows && provesRow(user)) return make('restore_row', { restoreRow: true });
  if (isForeign(user)) return make('adopt', { adopt: true });
  const isRetrievable = user.waiting === null && user.dead === null;
  if (has('place_without_admission')) return make('rebuild_admission', { adopt: true, requeue: isRetrievable });
  const requeue = has(...ASTRAY) && isRetrievable;
  if (has('request_time_mismatch')) return make('rebuild_admission', { adopt: true, requeue });
  return requeue ? make('requeue', { requeue }) : null;
}

function mendIssued(user: UserView, has: Has, make: Make): Mend | null {
  const rehash = has('hash_mismatch', 'hash_unreadable_time');
  if (isForeign(user)) return make('adopt', { adopt: true, ack: true, rehash });
  if (has('row_without_admission')) return make('rebuild_admission', { adopt: true, ack: true, rehash });
  const ack = has('hash_missing', 'dead_but_issued', ...ASTRAY);
  if (has('request_time_mismatch')) return make('rebuild_admission', { adopt: true, ack, rehash });
  return ack || rehash ? make('rebuild_hash', { ack, rehash }) : null;
}

/** In the queue because another service wrote it there. */
export function isForeign({ admitted, waiting }: UserView): boolean {
  return admitted === null && waiting !== null;
}

/** An issued hash is written after the ledger has committed, so that of an admitted user tells of a row that was lost. */
function provesRow({ admitted, issued }: UserView): boolean {
  return issued !== null && admitted !== null && scoreToMicros(admitted.score) !== null;
}
