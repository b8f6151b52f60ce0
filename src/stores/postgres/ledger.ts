import type { AuditLedger } from '../../audit/ports.ts';
import type { UseLedger } from '../../campaign/ports/use.ts';
import type { IssueLedger } from '../../drain/ports.ts';
import type { ResetLedger, SeedLedger } from '../../operate/ports.ts';
import type { Database } from './database.ts';
import { ledgerCoupons } from './ledger-coupons.ts';
import { ledgerIssued } from './ledger-issued.ts';

/** All that the features need of the ledger. */
export type Ledger = AuditLedger & IssueLedger & SeedLedger & ResetLedger & UseLedger;

export function postgresLedger(database: Database): Ledger {
  return { ...ledgerCoupons(database), ...ledgerIssued(database) };
}
