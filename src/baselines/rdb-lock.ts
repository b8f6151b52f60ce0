import type { PoolClient } from 'pg';
import type { Admission } from '../campaign/ports/admission.ts';
import type { AckRow } from '../campaign/ports/acknowledgement.ts';
import type { AdmissionAnswer } from '../campaign/admission.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import type { IssuedRow } from '../stores/postgres/ledger-issued.ts';
import { statement } from '../stores/postgres/statements.ts';

/** The ledger's column `worker`: there was none. */
const WORKER = 'rdb-lock';

export interface RdbLockOptions {
  /** A pool of its own, of 10 connections; statements are prepared once on each. */
  database: Database;
  /** Called with every issued coupon once it is committed; the answer does not wait for it. */
  onIssued: (row: AckRow) => void;
}

interface CouponRow {
  total_quantity: number;
  issued_quantity: number;
  state: string;
  open: boolean;
}

type OwnRow = Omit<IssuedRow, 'worker' | 'fence' | 'deliveries'>;

/** The answer, and the row if this request made one. */
interface Decision {
  answer: AdmissionAnswer;
  row: AckRow | null;
}

/**
 * FOR COMPARISON ONLY: how coupons were issued before there was a Redis, and what "slow" means in "too slow". Each request is
 * one transaction of the database: lock the coupon's row (`SELECT … FOR UPDATE`), look whether the user has one, insert, count,
 * commit. It is correct, with nothing to drain and no user waiting; but all requests for a coupon wait in one line, each
 * for the round trips and the flush to disk of the one before, and so do those that are only to be told "sold out".
 *
 * It is given its best: prepared statements, no more round trips than steps, refusals rolled back (a commit would flush the row
 * lock to disk), and no delay of any kind. `synchronous_commit` is the server's, which is `on` unless it was changed.
 *
 * @returns answers `accepted` (already issued), `duplicate`, `sold_out`, `not_open`, `unknown_coupon`, `unavailable`
 * @throws CouponError `LEDGER_REPLY_LOST` when the answer to COMMIT was lost; what the database throws otherwise
 */
export function rdbLockAdmission({ database, onIssued }: RdbLockOptions): Admission {
  const one = async (couponId: string, userId: string): Promise<AdmissionAnswer> => {
    let decided: Decision | undefined;
    try {
      const { answer, row } = await database.transaction(async (client) => (decided = await decide(client, couponId, userId)), {
        end: (decision) => (decision.row ? 'COMMIT' : 'ROLLBACK'),
      });
      if (row) onIssued(row);
      return answer;
    } catch (error) {
      throw decided?.row ? database.explainCommit(error) : database.explain(error);
    }
  };
  return { admit: (couponId, requests) => Promise.all(requests.map(({ userId }) => one(couponId, userId))) };
}

async function decide(client: PoolClient, couponId: string, userId: string): Promise<Decision> {
  const refused = (outcome: AdmissionAnswer['outcome']): Decision => ({ answer: { outcome }, row: null });
  const [coupon] = (await client.query<CouponRow>(statement('baseline-lock', [couponId]))).rows;
  if (!coupon) return refused('unknown_coupon');
  const [known] = (await client.query<OwnRow>(statement('find-issued', [couponId, [userId]]))).rows;
  if (known) return { answer: { outcome: 'duplicate', ...standing(known) }, row: null };
  if (coupon.state !== 'ready') return refused('unavailable');
  if (!coupon.open) return refused('not_open');
  if (coupon.issued_quantity >= coupon.total_quantity) return refused('sold_out');
  const [issued] = (await client.query<OwnRow>(statement('baseline-issue', [couponId, userId, WORKER]))).rows;
  await client.query(statement('baseline-count', [couponId]));
  return { answer: { outcome: 'accepted', ...standing(issued!) }, row: toIssued(issued!) };
}

function standing(row: OwnRow): Pick<AdmissionAnswer, 'place' | 'firstRequestUs'> {
  return { place: 'issued', firstRequestUs: Number(row.requested_us) };
}

function toIssued(row: OwnRow): AckRow {
  return {
    couponId: row.coupon_id,
    userId: row.user_id,
    requestedAt: row.requested_at,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
    revokedAt: row.revoked_at,
    // There was no claim.
    fence: 0,
  };
}
