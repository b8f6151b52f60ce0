import { readFileSync } from 'node:fs';
import type { QueryConfig } from 'pg';

/** The statements in `sql/`, by folder. Each is sent under its file's name, so that PostgreSQL prepares it once a connection. */
const STATEMENTS = {
  coupons: [
    'find-coupons',
    'find-coupon',
    'complete-ids',
    'start-seeding',
    'finish-seeding',
    'undo-seeding',
    'start-reset',
    'delete-issued',
    'drop-coupon',
    'lock-coupon',
  ],
  issued: [
    'issue',
    'issue-first',
    'is-same-life',
    'find-issued',
    'page-issued',
    'page-briefs',
    'count-issued',
    'issued-since',
    'latest-request',
    'recent-workers',
    'use-issued',
    'explain-use',
    'revoke-issued',
  ],
  changes: ['find-change', 'begin-change', 'change-coupon', 'finish-change', 'page-changes'],
  forget: ['end-claims', 'rename-issued', 'redact-log'],
  adopt: ['start-adopting', 'finish-adopting'],
  purge: ['ledger-time', 'note-export', 'is-exported', 'find-purge'],
  repair: ['ended-epochs', 'set-missing', 'restore-issued', 'record-use', 'record-revocation', 'recount'],
  schema: ['schema-version', 'ledger-condition', 'missing-rights', 'server-settings'],
  baseline: ['baseline-lock', 'baseline-issue', 'baseline-count'],
} as const;

export type StatementName = (typeof STATEMENTS)[keyof typeof STATEMENTS][number];

const folders = new Map<StatementName, string>(
  Object.entries(STATEMENTS).flatMap(([folder, names]) => names.map((name) => [name, folder] as const)),
);
const texts = new Map<StatementName, string>();

/** A look for each row before it is inserted, which is a fifth of what `issue` costs. `issue-first` has no such line. */
const PASSES_OVER = /^ *ON CONFLICT .*\n/m;

function textOf(name: StatementName): string {
  return readFileSync(new URL(`./sql/${folders.get(name)}/${name}.sql`, import.meta.url), 'utf8');
}

export function statement(name: StatementName, values: unknown[] = []): QueryConfig {
  let text = texts.get(name);
  if (text === undefined) {
    text = name === 'issue-first' ? textOf('issue').replace(PASSES_OVER, '') : textOf(name);
    texts.set(name, text);
  }
  return { name, text, values };
}
