import type { PoolClient } from 'pg';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import type { Change, ChangeDetails, ChangeLedger } from '../../operate/ports.ts';
import type { ForgetLedger, RevokeLedger } from '../../operate/remove/ports.ts';
import { usageError } from '../../lib/errors.ts';
import type { Database } from './connection/database.ts';
import { statement } from './statements.ts';

export interface ChangeRow {
  op_id: string;
  coupon_id: string;
  kind: Change['kind'];
  details: ChangeDetails;
  version: number;
  by_whom: string;
  reason: string | null;
  begun_at: Date;
  finished_at: Date | null;
}

const SALE_STATES: Partial<Record<Change['kind'], string>> = { pause: 'paused', resume: 'open', close: 'closed' };

/** The `operator_log` table. */
export function ledgerChanges(database: Database): ChangeLedger & ForgetLedger & RevokeLedger {
  return {
    async findChange({ id, epoch }, opId) {
      const [row] = await database.query<ChangeRow>(statement('find-change', [id, opId, epoch]));
      return row ? toChange(row) : null;
    },

    beginChange: async (change, coupon, { name, opensAt, closesAt, expiry }, add) => {
      const write = async (client: PoolClient): Promise<void> => {
        const state = SALE_STATES[change.kind] ?? null;
        const expiresAt = expiry.kind === 'at' ? expiry.at : null;
        const validForMs = expiry.kind === 'after' ? expiry.ms : null;
        await client.query(statement('change-coupon', [coupon.id, add, opensAt, closesAt, expiresAt, validForMs, name, state]));
      };
      return begin(database, change, coupon, 1, write, coupon.version);
    },

    async finishChange(opId) {
      await database.execute(statement('finish-change', [opId, null]));
    },

    // Its row names the user while it is under way, and nobody afterwards.
    beginForget: async (opId, coupon, { userId, tombstone, byWhom }) =>
      begin(database, { opId, kind: 'forget', details: { user: userId, tombstone }, byWhom, reason: null }, coupon, 0),

    async beginRevoke(opId, coupon, { userId, returnStock, byWhom, reason }) {
      try {
        return await begin(
          database,
          { opId, kind: 'revoke', details: { user: userId, returnStock }, byWhom, reason },
          coupon,
          1,
          async (client) => {
            const revoked = await client.query(statement('revoke-issued', [coupon.id, userId, reason, returnStock]));
            if (revoked.rowCount === 0) throw NOTHING_TO_DO;
          },
        );
      } catch (error) {
        if (error === NOTHING_TO_DO) return null;
        throw error;
      }
    },

    async endClaims({ id, epoch }, minFence) {
      await database.execute(statement('end-claims', [id, epoch, minFence]));
    },

    async tryRename(couponId, userId, tombstone) {
      try {
        await database.transaction((client) => client.query(statement('rename-issued', [couponId, userId, tombstone])), {
          end: () => 'ROLLBACK',
        });
      } catch (error) {
        throw database.explain(error);
      }
    },

    async renameIssued(couponId, userId, tombstone) {
      await database.execute(statement('rename-issued', [couponId, userId, tombstone]));
      await database.execute(statement('redact-log', [userId, tombstone, couponId]));
    },

    async redactLog(userId, tombstone) {
      await database.execute(statement('redact-log', [userId, tombstone, null]));
    },

    async finishForget(opId) {
      await database.execute(statement('finish-change', [opId, '{}']));
    },

    changes: async (couponId, limit) => (await database.query<ChangeRow>(statement('page-changes', [couponId, limit]))).map(toChange),
  };
}

/** Takes the beginning of a change back. */
const NOTHING_TO_DO = new Error('nothing to do');

/**
 * Writes the row of a change, and what else belongs to its beginning, in one transaction.
 *
 * @param rises how far the version of the coupon does once the change is done
 * @param madeFrom the version of the coupon that the change was made from; null: it needs none
 */
export async function begin(
  database: Database,
  { opId, kind, details, byWhom, reason }: Begun,
  { id, epoch }: Pick<LedgerCoupon, 'id' | 'epoch'>,
  rises: 0 | 1,
  also: (client: PoolClient) => Promise<void> = async () => undefined,
  madeFrom: number | null = null,
): Promise<Change> {
  const values = [opId, id, epoch, kind, JSON.stringify(details), byWhom, reason, rises, madeFrom];
  try {
    return await database.transaction(async (client) => {
      const { rows } = await client.query<ChangeRow>(statement('begin-change', values));
      if (!rows[0])
        throw usageError(
          madeFrom === null ? 'CHANGE_REFUSED' : 'CHANGE_UNFINISHED',
          `coupon ${id} was ${madeFrom === null ? '' : 'changed or '}reset meanwhile`,
          'Look at it again, and run the command for what it is now.',
        );
      await also(client);
      return toChange(rows[0]);
    });
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'operator_log_unfinished')
      throw usageError(
        'CHANGE_UNFINISHED',
        `another change of coupon ${id} is under way`,
        `\`coupon-cli log\` shows it; wait for it, or finish it.`,
      );
    throw error === NOTHING_TO_DO ? error : database.explain(error);
  }
}

type Begun = Pick<Change, 'opId' | 'kind' | 'details' | 'byWhom' | 'reason'>;

export function toChange(row: ChangeRow): Change {
  return {
    opId: row.op_id,
    couponId: row.coupon_id,
    kind: row.kind,
    details: row.details,
    version: row.version,
    byWhom: row.by_whom,
    reason: row.reason,
    begunAt: row.begun_at,
    finishedAt: row.finished_at,
  };
}
