import type { AuditReport, CouponAudit, FindingReport } from './audit.ts';
import { NOTES, type AuditNote } from './notes.ts';
import { FINDINGS } from './findings.ts';
import { docsLink } from '../lib/docs.ts';
import { otherKeysText } from '../campaign/only-in-redis.ts';
import { commandOf, shellQuoted } from '../lib/text/suggested-command.ts';
import { visibleValues, printable } from '../lib/text/visible.ts';
import { number, plural } from '../lib/text/figures.ts';
import type { Paint } from '../lib/text/style.ts';
import { table } from '../lib/text/table.ts';

const SKIPPED: Record<NonNullable<CouponAudit['skipped']>, string> = {
  seeding: 'not looked at: its seeding was not finished (run `seed` again)',
  adopting: 'not looked at: its adoption was not finished (run `adopt` again)',
  resetting: 'not looked at: its reset was not finished (run `seed … --reset` again)',
  key_style: 'not looked at: it has another key style',
  changed: 'not looked at: it was reset meanwhile, again and again',
  not_in_ledger: 'only in Redis',
  wrong_type: 'not looked at: one of its keys holds another type',
};

/**
 * The verdict last, where the eye is when the command ends.
 *
 * @param options.repaired a repair was just made, and has said what is left
 */
export function auditText(given: AuditReport, paint: Paint, { repaired = false } = {}): string {
  const report = visibleValues(given);
  if (report.coupons.length === 0 && report.findings.length === 0 && report.notes.length === 0) {
    if (report.otherKeys) return otherKeysText(report.otherKeys);
    return 'no coupons yet, so nothing can disagree; `coupon-cli seed ID --name TEXT --stock N` makes one';
  }
  const parts = report.coupons.length > 0 ? [couponTable(report.coupons, paint)] : [];
  if (isEmptied(report)) parts.push(EMPTIED);
  for (const group of together(report.findings)) parts.push(findingText(group, paint));
  parts.push(...report.notes.map((one) => noteText(one, paint)));
  if (report.hashOnly === 'unchecked') {
    parts.push(paint.dim('not looked for: issued hashes that nothing else knows (--scan walks the whole keyspace for them)'));
  }
  parts.push(verdict(report, paint));
  if (!repaired) parts.push(...nextText(report));
  return parts.join('\n\n');
}

const EMPTIED = 'Redis has none of these coupons: it was emptied, or REDIS_URL names another one.';

function isEmptied({ coupons, findings }: AuditReport): boolean {
  const looked = coupons.filter(({ skipped }) => skipped === null);
  const missing = findings.filter(({ code }) => code === 'coupon_missing');
  return looked.length > 1 && missing.length === looked.length;
}

function nextText({ ok, findings, hashOnly }: AuditReport): string[] {
  if (ok) return [];
  const ids = [...new Set(findings.map(({ couponId }) => couponId))];
  const only = ids.length === 1 && ids[0] !== '' ? ids[0] : null;
  const argv = ['audit', ...(only === null || only === undefined ? [] : [only]), ...(hashOnly === 'unchecked' ? [] : ['--scan'])];
  return [`Next: ${commandOf([...argv, '--repair', '--dry-run'])} says what a repair would do`];
}

function couponTable(coupons: readonly CouponAudit[], paint: Paint): string {
  return table(
    coupons,
    [
      { head: 'COUPON', value: (row) => row.couponId, narrow: 'wrap' },
      { head: 'TOTAL', value: (row) => row.total, align: 'right' },
      { head: 'STOCK', value: (row) => row.stock, align: 'right' },
      { head: 'WAITING', value: (row) => row.waiting, align: 'right' },
      { head: 'CLAIMED', value: (row) => row.claimed, align: 'right', rank: 2 },
      { head: 'DEAD', value: (row) => row.dead, align: 'right', rank: 1 },
      { head: 'ISSUED', value: (row) => row.issued, align: 'right' },
      { head: 'NOTE', value: note, narrow: 'wrap' },
    ],
    paint,
  );
}

function note({ couponId, skipped, inFlight, adoptable, dead }: CouponAudit): string {
  if (skipped) return SKIPPED[skipped];
  const parts = [];
  if (dead > 0) parts.push(`see \`dead list ${shellQuoted(couponId)}\``);
  if (inFlight > 0) parts.push(`${number(inFlight)} between commit and acknowledgement`);
  if (adoptable > 0) parts.push(`${number(adoptable)} queued by another service`);
  return parts.join(', ');
}

/** Coupons with the same finding and nothing more to say stand together: an empty Redis has lost every coupon. */
function together(findings: readonly FindingReport[]): { finding: FindingReport; couponIds: string[] }[] {
  const groups: { finding: FindingReport; couponIds: string[] }[] = [];
  const isPlain = ({ code, facts }: FindingReport): boolean => FINDINGS[code].about === 'coupon' && Object.keys(facts).length === 0;
  for (const finding of findings) {
    const there = isPlain(finding) ? groups.find((one) => one.finding.code === finding.code && isPlain(one.finding)) : undefined;
    if (there) there.couponIds.push(finding.couponId);
    else groups.push({ finding, couponIds: [finding.couponId] });
  }
  return groups;
}

function findingText({ finding, couponIds }: { finding: FindingReport; couponIds: readonly string[] }, paint: Paint): string {
  const { code, couponId, count, sample, facts } = finding;
  const { about, breaks, meaning } = FINDINGS[code];
  const users = about === 'users' ? `, ${plural(count, 'user')}` : '';
  const where = couponIds.length > 1 ? plural(couponIds.length, 'coupon') : `coupon ${couponId}`;
  const lines = [
    `${paint.red('✘')} ${couponId === '' ? '' : `${where}${users}: `}${paint.bold(meaning)} [${code}]`,
    ...(couponIds.length > 1 ? [`  ${listText(couponIds, couponIds.length)}`] : []),
  ];
  const figures = Object.entries(facts).map(
    ([name, value]) => `${inWords(name)} ${value === null ? 'missing' : printable(String(value), 250)}`,
  );
  if (figures.length > 0) lines.push(`  ${figures.join(', ')}`);
  if (sample.length > 0) lines.push(`  ${listText(sample, count)}`);
  lines.push(`  breaks the promise: ${breaks}`, `  see: ${paint.dim(docsLink('findings', code))}`);
  return lines.join('\n');
}

function listText(names: readonly string[], count: number): string {
  const shown = names.slice(0, SHOWN).map((name) => printable(name));
  const more = count > shown.length ? ` … and ${number(count - shown.length)} more` : '';
  return `${shown.join(', ')}${more}`;
}

const SHOWN = 10;

/** `issuedQuantity` is a name for programs. */
function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function noteText({ code, couponId, count, sample }: AuditNote, paint: Paint): string {
  const where = couponId === null ? '' : ` in coupon ${couponId}`;
  const more = count > sample.length ? ` … and ${number(count - sample.length)} more` : '';
  return `${paint.yellow('–')} ${paint.bold(code)}${where}: ${number(count)}\n  ${NOTES[code]}\n  ${sample.map((name) => printable(name, 250)).join(', ')}${more}\n  see: ${paint.dim(docsLink('findings', code))}`;
}

function verdict({ ok, coupons, findings }: AuditReport, paint: Paint): string {
  const looked = coupons.filter((coupon) => coupon.skipped === null).length;
  const what = plural(looked, 'coupon');
  if (ok && looked === 0) return 'no coupon was compared';
  if (ok) return `${paint.green('✔')} both stores agree: ${what}, user by user`;
  return `${paint.red('✘')} ${plural(findings.length, 'finding')} in ${what}: the stores do not agree`;
}
