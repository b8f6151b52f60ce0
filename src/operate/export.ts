import { isoTime } from '../campaign/coupon.ts';
import type { LedgerRow } from '../campaign/ports/ledger.ts';

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const COLUMNS = ['coupon_id', 'user_id', 'requested_at', 'issued_at', 'expires_at', 'used_at', 'revoked_at'] as const;

export function csvHeader(): string {
  return `${COLUMNS.join(',')}\r\n`;
}

/** One issued coupon as a line, with its end. */
export function exportLine(row: LedgerRow, couponId: string, format: ExportFormat): string {
  const { userId, requestedAt, issuedAt, expiresAt, usedAt, revokedAt } = row;
  const values = [couponId, userId, ...[requestedAt, issuedAt, expiresAt, usedAt, revokedAt].map((time) => isoTime(time))];
  if (format === 'csv') return `${values.map(csvCell).join(',')}\r\n`;
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map((name, index) => [name, values[index] === '' ? null : values[index]])))}\n`;
}

/** RFC 4180. A cell that a spreadsheet would take for a formula is told apart by a quote mark in front (OWASP, "CSV Injection"). */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
