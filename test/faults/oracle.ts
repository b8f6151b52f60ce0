/**
 * Whether a campaign kept its promises. The checker of bench judges the record of the load against both stores; beside it stand the
 * things that only this suite can ask for: `audit` finds nothing, nobody was served out of turn, and nobody was told "you have asked
 * already" who had asked once.
 */
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import { collectEvidence } from '../../src/bench/evidence/collect.ts';
import type { RedisReader } from '../../src/campaign/ports/redis-reader.ts';
import { checkIntegrity } from '../../src/bench/checks/checker.ts';
import type { CheckName, CheckResult } from '../../src/bench/checks/integrity.ts';
import { UserDirectory } from '../../src/bench/plan/user-plan.ts';
import type { Finished } from '../support/processes.ts';
import { recordOf, type Row } from './book.ts';
import type { Counts } from './result.ts';

export interface OracleStores {
  reader: RedisReader;
  ledger: Ledger;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  command(argv: readonly string[]): Promise<Finished>;
}

/** A campaign that is over. */
export interface Subject {
  coupons: readonly { id: string; total: number }[];
  rows: readonly Row[];
  /** Users are `prefix` + 0 to `prefix` + (`users` - 1). */
  users: number;
  prefix: string;
}

export interface Verdict {
  /** What was broken, a line each. */
  broken: string[];
  counts: Counts;
  /** Users who are worth a closer look. */
  suspects: UserOfCoupon[];
}

export interface UserOfCoupon {
  couponId: string;
  userId: string;
}

/** The verdict on a campaign whose faults destroyed nothing. */
export async function judge(subject: Subject, stores: OracleStores): Promise<Verdict> {
  const checks = await checkRecord(subject, stores);
  const failed = checks.filter(({ status, reason }) => status === 'fail' || status === 'not_checked' || reason === 'ACCEPTED_SET_ASIDE');
  const inversions = await countInversions(subject, stores);
  const broken = failed.map(sentence);
  if (inversions > 0) broken.push(`${inversions} users were served after somebody who asked later`);
  broken.push(
    ...falseDuplicates(subject),
    ...forgottenUsers(subject),
    ...strangeAnswers(subject),
    ...(await auditFindings(idsOf(subject), stores)),
  );
  return { broken, counts: { ...countsOf(subject, failed), inversions }, suspects: suspectsOf(failed) };
}

export function countsOf(subject: Subject, failed: readonly CheckResult[]): Omit<Counts, 'inversions'> {
  const count = (check: CheckName): number =>
    failed.filter((result) => result.check === check).reduce((sum, result) => sum + result.count, 0);
  return {
    accepted: acceptedUsers(subject).size,
    lost: count('accepted_are_issued'),
    duplicates: count('one_per_user'),
    overIssued: count('issued_within_total'),
  };
}

export function suspectsOf(failed: readonly CheckResult[]): UserOfCoupon[] {
  return failed.flatMap(({ couponId, sample }) => sample.map((userId) => ({ couponId, userId })));
}

/** The seven checks of bench, for each coupon. */
export async function checkRecord(subject: Subject, { reader, ledger }: Pick<OracleStores, 'reader' | 'ledger'>): Promise<CheckResult[]> {
  const users = new UserDirectory({ count: subject.users, prefix: subject.prefix, start: 0 });
  const evidence = [];
  for (const { id, total } of subject.coupons) {
    const options = { couponId: id, total, settled: true, before: new Uint32Array(), users, asked: [] };
    evidence.push((await collectEvidence({ redis: reader, ledger, ownKeyspace: true }, options)).evidence);
  }
  return checkIntegrity(recordOf(subject.rows), evidence, users);
}

export function sentence({ check, couponId, status, reason, count, sample, facts }: CheckResult): string {
  const figures = Object.keys(facts).length > 0 ? ` ${JSON.stringify(facts)}` : '';
  return `${couponId}: ${check} ${status} (${reason}, ${count}${figures}${sample.length > 0 ? `: ${sample.join(' ')}` : ''})`;
}

/** User and coupon of everybody who was told "accepted". */
export function acceptedUsers({ rows }: Pick<Subject, 'rows'>): Set<string> {
  return new Set(rows.filter(({ outcome }) => outcome === 'accepted').map(({ user, coupon }) => `${coupon} ${user}`));
}

/** By the claims' numbers, among first deliveries: see `audit/reconcile/order.ts`. */
async function countInversions({ coupons }: Subject, { sql }: Pick<OracleStores, 'sql'>): Promise<number> {
  const [row] = await sql(
    `SELECT count(*)::integer AS inversions FROM (
       SELECT requested_us < lag(requested_us) OVER (PARTITION BY coupon_id ORDER BY fence, requested_us) AS inverted
       FROM issued_coupons WHERE deliveries = 1 AND coupon_id = ANY ($1)
     ) pairs WHERE inverted`,
    [idsOf({ coupons })],
  );
  return row?.['inversions'] as number;
}

/** A repeat under the same key is the same request: whoever used only one can never have been a duplicate. */
export function falseDuplicates({ rows, coupons, prefix }: Pick<Subject, 'rows' | 'coupons' | 'prefix'>): string[] {
  const keys = new Map<string, Set<number>>();
  for (const { user, coupon, requestId } of rows) {
    const asked = `${coupon} ${user}`;
    keys.set(asked, (keys.get(asked) ?? new Set()).add(requestId));
  }
  const wronged = rows.filter(({ user, coupon, outcome }) => outcome === 'duplicate' && keys.get(`${coupon} ${user}`)?.size === 1);
  return wronged.map(({ user, coupon }) => `${coupons[coupon]!.id}: ${prefix}${user} asked under one key and was told "duplicate"`);
}

/** An accepted user who asks again is told so, or that this is a repeat; "sold out" is for users whom nobody accepted. */
export function forgottenUsers({ rows, coupons, prefix }: Pick<Subject, 'rows' | 'coupons' | 'prefix'>): string[] {
  const acceptedUs = new Map<string, number>();
  for (const { user, coupon, outcome, doneUs } of rows) {
    const asked = `${coupon} ${user}`;
    if (outcome === 'accepted') acceptedUs.set(asked, Math.min(doneUs, acceptedUs.get(asked) ?? Number.POSITIVE_INFINITY));
  }
  const forgotten = rows.filter(
    ({ user, coupon, outcome, sentUs }) => outcome === 'sold_out' && sentUs > acceptedUs.get(`${coupon} ${user}`)!,
  );
  return forgotten.map(({ user, coupon }) => `${coupons[coupon]!.id}: ${prefix}${user} was accepted and then told "sold_out"`);
}

/** Answers that no fault explains. @param explained outcomes that this one does */
export function strangeAnswers({ rows }: Pick<Subject, 'rows'>, explained: readonly string[] = []): string[] {
  const odd = ['unexpected', 'unknown_coupon', 'not_open', 'not_yet_open', 'closed'].filter((outcome) => !explained.includes(outcome));
  const strange = rows.filter(({ outcome }) => odd.includes(outcome));
  if (strange.length === 0) return [];
  const [first] = strange;
  return [`${strange.length} answers that no fault explains, the first one ${first!.outcome} with status ${first!.status}`];
}

/** `audit --scan` as an operator would run it. */
export async function auditFindings(couponIds: readonly string[], { command }: Pick<OracleStores, 'command'>): Promise<string[]> {
  const { exitCode, stdout, stderr } = await command(['audit', ...couponIds, '--scan', '--json']);
  return exitCode === 0 ? [] : [`audit ended with ${exitCode}: ${compact(stdout) || stderr.trim()}`];
}

export function idsOf({ coupons }: Pick<Subject, 'coupons'>): string[] {
  return coupons.map(({ id }) => id);
}

/** A JSON document on one line. */
export function compact(json: string): string {
  return json.replace(/\n\s*/g, ' ').trim();
}
