/**
 * What a role needs for each statement of `sql/`: verbs by table. `stores/rights` makes grants of it. A test runs every statement as a
 * role that has exactly these, and as roles that lack one.
 *
 * `SELECT … FOR UPDATE` needs UPDATE as well, and `ON CONFLICT (…)` needs SELECT (PostgreSQL manual, SELECT and INSERT).
 */
import type { StatementName } from './statements.ts';

export type Table = 'coupons' | 'issued_coupons' | 'coupon_ended_epochs' | 'operator_log' | 'coupon_migrations';

/** Of `GRANT`, in lower case and apart by spaces. */
export type TableRights = Readonly<Partial<Record<Table, string>>>;

export const STATEMENT_RIGHTS: Readonly<Record<StatementName, TableRights>> = {
  'find-coupons': { coupons: 'select' },
  'find-coupon': { coupons: 'select' },
  'complete-ids': { coupons: 'select' },
  'start-seeding': { coupons: 'select insert' },
  'finish-seeding': { coupons: 'select update' },
  'undo-seeding': { coupons: 'select delete' },
  'start-reset': { coupons: 'select update', coupon_ended_epochs: 'select insert' },
  'delete-issued': { coupons: 'select update', issued_coupons: 'select delete' },
  'drop-coupon': { coupons: 'select delete', coupon_ended_epochs: 'select insert' },
  'lock-coupon': { coupons: 'select update' },
  issue: { coupons: 'select update', issued_coupons: 'select insert' },
  'issue-first': { coupons: 'select update', issued_coupons: 'select insert' },
  'is-same-life': { coupons: 'select' },
  'find-issued': { issued_coupons: 'select' },
  'page-issued': { issued_coupons: 'select' },
  'page-briefs': { issued_coupons: 'select' },
  'count-issued': { coupons: 'select', issued_coupons: 'select' },
  'issued-since': { issued_coupons: 'select' },
  'recent-workers': { issued_coupons: 'select' },
  'use-issued': { issued_coupons: 'select update' },
  'explain-use': { coupons: 'select', issued_coupons: 'select' },
  'revoke-issued': { coupons: 'select update', issued_coupons: 'select update' },
  'find-change': { operator_log: 'select' },
  'begin-change': { coupons: 'select update', operator_log: 'select insert' },
  'change-coupon': { coupons: 'select update' },
  'finish-change': { coupons: 'select update', operator_log: 'select update' },
  'page-changes': { operator_log: 'select' },
  'end-claims': { coupons: 'select update' },
  'rename-issued': { issued_coupons: 'select update' },
  'redact-log': { operator_log: 'select update' },
  'start-adopting': { coupons: 'select insert', operator_log: 'insert' },
  'finish-adopting': { coupons: 'select update', operator_log: 'select update' },
  'ledger-time': {},
  'note-export': { coupons: 'select', operator_log: 'insert' },
  'is-exported': { issued_coupons: 'select', operator_log: 'select' },
  'find-purge': { operator_log: 'select' },
  'ended-epochs': { coupon_ended_epochs: 'select' },
  'set-missing': { coupons: 'select update' },
  'restore-issued': { coupons: 'select update', issued_coupons: 'select insert' },
  'record-use': { issued_coupons: 'select update' },
  'record-revocation': { issued_coupons: 'select update' },
  recount: { coupons: 'select update', issued_coupons: 'select' },
  'latest-request': { issued_coupons: 'select' },
  'schema-version': { coupon_migrations: 'select' },
  'ledger-condition': { coupons: 'select' },
  'missing-rights': {},
  'server-settings': {},
  'baseline-lock': { coupons: 'select update' },
  'baseline-issue': { coupons: 'select', issued_coupons: 'select insert' },
  'baseline-count': { coupons: 'select update' },
};
