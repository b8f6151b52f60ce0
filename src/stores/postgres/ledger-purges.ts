import type { ExportLedger, PurgeLedger } from '../../operate/remove/ports.ts';
import type { Database } from './connection/database.ts';
import { begin, toChange, type ChangeRow } from './ledger-changes.ts';
import { statement } from './statements.ts';

/** How coupons leave the ledger, and the exports that come before. */
export function ledgerPurges(database: Database): ExportLedger & PurgeLedger {
  return {
    async now() {
      return (await database.query<{ now: Date }>(statement('ledger-time')))[0]!.now;
    },

    async noteExport(opId, { id, epoch }, { rows, format, byWhom, begunAt }) {
      await database.execute(statement('note-export', [opId, id, epoch, JSON.stringify({ rows, format }), byWhom, begunAt]));
    },

    async isExported({ id, epoch }, rows) {
      const [found] = await database.query<{ is_exported: boolean }>(statement('is-exported', [id, epoch, rows]));
      return found!.is_exported;
    },

    async findPurge(couponId) {
      const [row] = await database.query<ChangeRow>(statement('find-purge', [couponId]));
      return row ? toChange(row) : null;
    },

    beginPurge: async (opId, coupon, { epoch, rows, byWhom, reason }) =>
      begin(database, { opId, kind: 'purge', details: { rows, epoch }, byWhom, reason }, coupon, 0, async (client) => {
        await client.query(statement('start-reset', [coupon.id, epoch]));
      }),

    async finishPurge({ opId, couponId, details }) {
      try {
        await database.transaction(async (client) => {
          await client.query(statement('finish-change', [opId, JSON.stringify({ rows: details['rows'] })]));
          await client.query(statement('drop-coupon', [couponId, details['epoch']]));
        });
      } catch (error) {
        throw database.explain(error);
      }
    },
  };
}
