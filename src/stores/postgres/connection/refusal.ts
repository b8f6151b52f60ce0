import { printable } from '../../../lib/text/visible.ts';
import { DatabaseError } from 'pg';
import type { RefusalScope } from '../../../drain/ports.ts';

/**
 * What PostgreSQL's refusal of an issue transaction speaks of, by SQLSTATE (manual, appendix A). The longest prefix wins; a code that is
 * not listed is a row's, because a trigger may raise any code of its own (a plain RAISE EXCEPTION is P0001).
 */
const SCOPES: Readonly<Record<string, RefusalScope | 'outage'>> = {
  '08': 'outage',
  '28': 'outage',
  '3D': 'outage',
  '53': 'outage',
  '57': 'outage',
  '58': 'outage',
  '25006': 'outage',
  '25P03': 'outage',
  // These pass by themselves: deadlock, serialization failure, a lock or a time limit.
  '40': 'moment',
  '55P03': 'moment',
  '57014': 'moment',
  // These speak of the statement, the schema or the server; a trigger may still raise them for one row.
  '0A': 'statement',
  '25': 'statement',
  '2D': 'statement',
  '3F': 'statement',
  '42': 'statement',
  '54': 'statement',
  '55': 'statement',
  F0: 'statement',
  XX: 'statement',
  // Rights: row-level security refuses with this code too.
  '42501': 'row',
};

export type Refusal =
  | { status: 'guarded'; constraint: string }
  | { status: 'refused'; scope: RefusalScope; reason: string }
  /** The store is away, or what was thrown is no answer of PostgreSQL. */
  | { status: 'outage' };

export function scopeOf(sqlState: string): RefusalScope | 'outage' {
  return SCOPES[sqlState] ?? SCOPES[sqlState.slice(0, 2)] ?? 'row';
}

/** @param error what the transaction threw; an answer of PostgreSQL means that it was rolled back */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof DatabaseError)) return { status: 'outage' };
  const { code = '', constraint, table, message } = error;
  // Passing the total, or a coupon that is gone, is never the fault of a user of the batch. Constraints of the shop's own are.
  if (constraint === 'coupons_total' && table === 'coupons') return { status: 'guarded', constraint };
  if (constraint === 'issued_coupons_coupon_id_fkey' && table === 'issued_coupons') return { status: 'guarded', constraint: 'foreign_key' };
  const scope = scopeOf(code);
  if (scope === 'outage') return { status: 'outage' };
  const rule = constraint ? ` ${constraint}:` : '';
  return { status: 'refused', scope, reason: printable(`${code}${rule} ${message}`, 200) };
}

/** Deadlock or serialization failure: the transaction was rolled back whole, and may be tried again (manual, 13.5). */
export function isConflict(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40001' || error.code === '40P01');
}

/** A row, or a value that a unique index keeps, is there already: nothing was done (manual, appendix A). */
export function isTaken(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23505';
}
