import type { AuditLedger } from '../../audit/ports.ts';
import type { UseLedger } from '../../campaign/ports/use.ts';
import type { IssueLedger } from '../../drain/ports.ts';
import type { ChangeLedger, ResetLedger, SeedLedger } from '../../operate/ports.ts';
import type { ExportLedger, ForgetLedger, PurgeLedger, RevokeLedger } from '../../operate/remove/ports.ts';
import type { Database } from './connection/database.ts';
import { ledgerChanges } from './ledger-changes.ts';
import { ledgerCoupons } from './ledger-coupons.ts';
import { ledgerIssued } from './ledger-issued.ts';
import { ledgerPurges } from './ledger-purges.ts';

/** All that the features need of the ledger. */
export type Ledger = AuditLedger &
  IssueLedger &
  SeedLedger &
  ResetLedger &
  ChangeLedger &
  ForgetLedger &
  RevokeLedger &
  ExportLedger &
  PurgeLedger &
  UseLedger;

export function postgresLedger(database: Database): Ledger {
  return { ...ledgerCoupons(database), ...ledgerChanges(database), ...ledgerIssued(database), ...ledgerPurges(database) };
}
