import type { Change, ChangeDetails, ChangeLedger } from '../../operate/ports.ts';
import { usageError } from '../../lib/errors.ts';
import type { Database } from './database.ts';
import { statement } from './statements.ts';

interface ChangeRow {
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

/** The `operator_log` table. */
export function ledgerChanges(database: Database): ChangeLedger {
  return {
    async findChange({ id, epoch }, opId) {
      const [row] = await database.query<ChangeRow>(statement('find-change', [id, opId, epoch]));
      return row ? toChange(row) : null;
    },

    async beginChange({ opId, kind, details, byWhom, reason }, { id, epoch }, { opensAt, closesAt, expiry }, add) {
      const values = [opId, id, epoch, kind, JSON.stringify(details), byWhom, reason];
      try {
        return await database.transaction(async (client) => {
          const { rows } = await client.query<ChangeRow>(statement('begin-change', values));
          if (!rows[0])
            throw usageError(
              'CHANGE_REFUSED',
              `coupon ${id} was reset meanwhile`,
              'Look at it again, and run the command for what it is now.',
            );
          const expiresAt = expiry.kind === 'at' ? expiry.at : null;
          const validForMs = expiry.kind === 'after' ? expiry.ms : null;
          await client.query(statement('change-coupon', [id, add, opensAt, closesAt, expiresAt, validForMs]));
          return toChange(rows[0]);
        });
      } catch (error) {
        if ((error as { constraint?: string }).constraint === 'operator_log_unfinished')
          throw usageError(
            'CHANGE_UNFINISHED',
            `another change of coupon ${id} is under way`,
            `\`coupon-cli log\` shows it; wait for it, or finish it.`,
          );
        throw database.explain(error);
      }
    },

    async finishChange(opId) {
      await database.execute(statement('finish-change', [opId]));
    },

    changes: async (couponId, limit) => (await database.query<ChangeRow>(statement('page-changes', [couponId, limit]))).map(toChange),
  };
}

function toChange(row: ChangeRow): Change {
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
