import { DatabaseError } from 'pg';
import type { QueryConfig } from 'pg';
import type { LedgerRepairs } from '../../audit/repair/ports.ts';
import type { Database } from './connection/database.ts';
import { endedEpochs } from './ledger-coupons.ts';
import { statement } from './statements.ts';

/** What a repair writes to the ledger. The guard of the total holds here as everywhere. */
export function ledgerRepairs(database: Database): LedgerRepairs {
  /** Both statements in one transaction; the number of rows that the last one changed says whether this life of the coupon is there. */
  const guarded = async (...statements: QueryConfig[]): Promise<'ok' | 'epoch' | 'guarded'> => {
    try {
      return await database.transaction(async (client) => {
        for (const one of statements) if ((await client.query(one)).rowCount === 0) return 'epoch';
        return 'ok';
      });
    } catch (error) {
      if (error instanceof DatabaseError && error.constraint === 'coupons_total') return 'guarded';
      throw database.explain(error);
    }
  };

  return {
    restoreRows: async (couponId, epoch, rows, by = 'repair') => {
      const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
      const values = [
        column('userId'),
        column('requestedUs'),
        column('issuedAt'),
        column('expiresAt'),
        column('usedAt'),
        column('revokedAt'),
        column('fence'),
        column('deliveries'),
      ];
      return guarded(statement('restore-issued', [couponId, epoch, ...values, by]));
    },

    endedEpochs: (couponId) => endedEpochs(database, couponId),

    async setMissing(couponId, epoch, users) {
      await database.execute(statement('set-missing', [couponId, epoch, users]));
    },

    async recordUses(couponId, uses) {
      for (const { userId, usedAt } of uses) await database.execute(statement('record-use', [couponId, userId, usedAt]));
    },

    async recordRevocations(couponId, revocations) {
      for (const { userId, revokedAt } of revocations)
        await database.execute(statement('record-revocation', [couponId, userId, revokedAt]));
    },

    recount: (couponId, epoch, fence) => guarded(statement('lock-coupon', [couponId, epoch]), statement('recount', [couponId, fence])),

    async isForgetting(couponId, epoch) {
      const [row] = await database.query<{ kind: string }>(statement('find-change', [couponId, null, epoch]));
      return row?.kind === 'forget';
    },
  };
}
