import type { LedgerHealth } from '../../campaign/ports/health.ts';
import { databaseWeaknesses, type DatabaseWeakness } from '../../campaign/readiness/weaknesses.ts';
import { CouponError, isOutage } from '../../lib/errors.ts';
import type { LedgerCondition } from '../../campaign/readiness/readiness.ts';
import type { Database } from './connection/database.ts';
import { statement } from './statements.ts';

/**
 * Milliseconds. Over a link that went silent no answer and no error ever comes; without a limit every probe would cost the pool a
 * connection for good.
 */
const QUERY_TIMEOUT_MS = 5_000;

/** @param work what the process would do: issue coupons, or mark them as used */
export function ledgerHealth(database: Database, work: 'issue' | 'use' = 'issue'): LedgerHealth {
  return {
    async condition() {
      const question = { ...statement('ledger-condition'), query_timeout: QUERY_TIMEOUT_MS };
      try {
        const [row] = await database.query<{ standby: boolean; read_only: boolean; may_use: boolean; may_issue: boolean }>(question);
        if (row?.standby) return 'standby';
        if (row?.read_only) return 'readonly';
        return row?.[`may_${work}`] ? 'up' : 'refused';
      } catch (error) {
        return conditionOf(error);
      }
    },
  };
}

function conditionOf(error: unknown): LedgerCondition {
  if (!(error instanceof CouponError)) return 'refused';
  if (error.code === 'SCHEMA_MISSING') return 'schema';
  return isOutage(error) ? 'down' : 'refused';
}

/** What makes an issued row weaker than its commit says; empty where nothing does. @throws CouponError */
export async function databaseDurability(database: Database): Promise<DatabaseWeakness[]> {
  const [row] = await database.query<Record<DatabaseWeakness['setting'], string>>(
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
      current_setting('synchronous_commit') AS synchronous_commit`,
  );
  return row ? databaseWeaknesses(row) : [];
}
