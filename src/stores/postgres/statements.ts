import { readFileSync } from 'node:fs';
import type { QueryConfig } from 'pg';

/** The statements in `sql/`. Each is sent under its file's name, so that PostgreSQL prepares it once a connection. */
export type StatementName =
  | 'issue'
  | 'find-issued'
  | 'page-issued'
  | 'page-briefs'
  | 'count-issued'
  | 'issued-since'
  | 'use-issued'
  | 'explain-use'
  | 'find-coupons'
  | 'start-seeding'
  | 'finish-seeding'
  | 'undo-seeding'
  | 'start-reset'
  | 'delete-issued'
  | 'drop-coupon'
  | 'ended-epochs'
  | 'set-missing'
  | 'restore-issued'
  | 'record-use'
  | 'lock-coupon'
  | 'recount'
  | 'latest-request'
  | 'schema-version'
  | 'ledger-condition'
  | 'baseline-lock'
  | 'baseline-issue'
  | 'baseline-count';

const texts = new Map<StatementName, string>();

export function statement(name: StatementName, values: unknown[] = []): QueryConfig {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
    texts.set(name, text);
  }
  return { name, text, values };
}
