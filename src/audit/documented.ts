import { docsLink } from '../lib/docs.ts';
import type { AuditReport } from './audit.ts';
import type { RepairReport } from './repair/repair.ts';

/** A report as `--json` prints it: each finding and note with the place where it is explained. */
export function documented(report: AuditReport): object {
  const withDocs = <T extends { code: string }>(one: T): T & { docs: string } => ({ ...one, docs: docsLink('findings', one.code) });
  return { ...report, findings: report.findings.map(withDocs), notes: report.notes.map(withDocs) };
}

export function documentedRepair({ before, after, ...report }: RepairReport): object {
  return { ...report, before: documented(before), after: after && documented(after) };
}
