import type { AdoptionLedger } from '../../operate/adopt/ports.ts';
import type { Database } from './connection/database.ts';
import { ledgerCoupons, seedingValues } from './ledger-coupons.ts';
import { ledgerIssued } from './ledger-issued.ts';
import { ledgerRepairs } from './ledger-repairs.ts';
import { statement } from './statements.ts';

/** How coupons of other services come into the ledger. */
export function ledgerAdoptions(database: Database): AdoptionLedger {
  const { coupon } = ledgerCoupons(database);
  const { rows } = ledgerIssued(database);
  const { restoreRows } = ledgerRepairs(database);
  return {
    coupon,
    rows,
    restoreRows,

    async startAdopting(definition, { opId, epoch, keyStyle, sharedStockField, saleState, details, byWhom }) {
      const values = [...seedingValues(definition, epoch, keyStyle), sharedStockField, saleState, opId, JSON.stringify(details), byWhom];
      await database.execute(statement('start-adopting', values));
      const stored = await coupon(definition.id);
      if (!stored) throw new Error(`coupon ${definition.id} vanished between two statements`);
      return stored;
    },

    async finishAdopting(couponId, epoch) {
      await database.execute(statement('finish-adopting', [couponId, epoch]));
    },
  };
}
