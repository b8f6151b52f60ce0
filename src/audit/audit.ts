import type { AuditPorts } from './ports.ts';
import type { Facts, FindingCode } from './findings.ts';
import { WrongTypeError } from '../campaign/wrong-type.ts';
import { AuditNotes, type AuditNote } from './notes.ts';
import { counting } from './suspects.ts';
import { AuditTally, type FindingReport } from './tally.ts';
import { auditTotals } from './totals.ts';
import { auditUsers } from './users.ts';
import { erasedOf } from './excepted.ts';
import { knownCoupon } from '../campaign/known-coupon.ts';
import { onlyInRedis, type OnlyInRedis } from '../campaign/only-in-redis.ts';
import { isRewritten } from './reconcile/coupon.ts';
import { pacedReads } from './paced-reads.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';

export type { AuditPorts } from './ports.ts';
export type { FindingReport } from './tally.ts';

export interface AuditOptions {
  /** Only these; empty: all that either store has. */
  couponIds: readonly string[];
  /** Also walk Redis's whole keyspace for issued hashes that nothing else knows. */
  scan: boolean;
  keyStyle: string;
  /** Users who are left out of the findings, because somebody has erased part of them by hand. */
  except?: readonly string[];
}

/** Counts by place. Between commit and ack a user is in two places, and counted in both: those are `inFlight`. */
export interface CouponAudit {
  couponId: string;
  total: number;
  /** Null: missing in Redis. */
  stock: number | null;
  waiting: number;
  claimed: number;
  dead: number;
  issued: number;
  /** Committed and not acknowledged yet. Information. */
  inFlight: number;
  /** In the queue by another service's hand; the next claim adopts them. Information. */
  adoptable: number;
  /** Why the coupon was not looked at. `changed`: it was reset again and again meanwhile. */
  skipped: 'seeding' | 'adopting' | 'resetting' | 'key_style' | 'changed' | 'not_in_ledger' | 'wrong_type' | null;
}

export interface AuditReport {
  /** No finding. */
  ok: boolean;
  coupons: CouponAudit[];
  findings: FindingReport[];
  hashOnly: 'checked' | 'unchecked';
  /** What was noticed besides; no contradiction. */
  notes: AuditNote[];
  /** Keys of any kind in Redis, where there are some but no coupon of ours; otherwise left out. */
  otherKeys?: number;
}

/** What an audit tells while it runs: how many users of a coupon it has looked at so far. */
export interface AuditEvents {
  looked(couponId: string, users: number): void;
}

const ATTEMPTS = 3;
const SETTLE_MS = 200;

/**
 * Compares both stores coupon by coupon and user by user, without changing anything and without stopping anything: a campaign
 * may run meanwhile, and is hardly slowed down (see {@link pacedReads}). Redis is always read before the ledger, because users
 * only move that way, and what looks wrong is looked at twice.
 *
 * @throws CouponError `COUPON_UNKNOWN`, `KEY_STYLE_MISMATCH`, `COUPON_NOT_READY` for a coupon that was named
 */
export async function audit(stores: AuditPorts, options: AuditOptions, events?: AuditEvents): Promise<AuditReport> {
  const ports = pacedReads(stores);
  const { couponIds, scan, keyStyle } = options;
  const coupons: LedgerCoupon[] = [];
  for (const couponId of new Set(couponIds)) coupons.push(await knownCoupon(ports.ledger, couponId, keyStyle));
  const all = couponIds.length === 0;
  const { couponIds: orphans, wrongIndex } = all ? await lastingOrphans(ports) : { couponIds: [], wrongIndex: null };
  const notes = new AuditNotes();
  const results: CouponResult[] = [];
  for (const coupon of all ? await ports.ledger.coupons() : coupons)
    results.push(await auditReadable(ports, coupon, options, notes, events));
  for (const couponId of orphans) results.push(finished(couponId, 'not_in_ledger', 'coupon_not_in_ledger'));
  if (scan) for await (const keys of ports.reader.scanForeign()) for (const key of keys) notes.foreignKey(key);
  const named = new Set(results.map((result) => result.coupon.couponId));
  if (all && scan) {
    for (const couponId of await ports.reader.scanCoupons()) if (!named.has(couponId)) notes.add('not_seeded_here', null, couponId);
  }
  const otherKeys = results.length === 0 ? await ports.reader.keyCount() : null;
  const findings = results.flatMap((result) => result.findings);
  // The index belongs to no coupon.
  if (wrongIndex) findings.push(...finished('', 'wrong_type', 'key_wrong_type', { ...wrongIndex }).findings);
  return {
    ok: findings.length === 0,
    coupons: results.map((result) => result.coupon),
    findings,
    hashOnly: scan ? 'checked' : 'unchecked',
    notes: notes.reports(),
    ...(otherKeys ? { otherKeys } : {}),
  };
}

interface CouponResult {
  coupon: CouponAudit;
  findings: FindingReport[];
}

/** A key of a wrong type is a finding about its coupon, and the others are looked at all the same. */
async function auditReadable(
  ports: AuditPorts,
  coupon: LedgerCoupon,
  ...rest: [AuditOptions, AuditNotes, AuditEvents?]
): Promise<CouponResult> {
  try {
    return await auditCoupon(ports, coupon, ...rest);
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    return finished(coupon.id, 'wrong_type', 'key_wrong_type', { ...error.wrong }, coupon.total);
  }
}

async function auditCoupon(
  ports: AuditPorts,
  first: LedgerCoupon,
  { scan, keyStyle, except = [] }: AuditOptions,
  notes: AuditNotes,
  events: AuditEvents | undefined,
): Promise<CouponResult> {
  const couponId = first.id;
  let coupon: LedgerCoupon | null = first;
  for (let attempt = 0; attempt < ATTEMPTS && coupon; attempt++) {
    if (coupon.keyStyle !== keyStyle)
      return finished(couponId, 'key_style', 'key_style_mismatch', { keyStyle: coupon.keyStyle }, coupon.total);
    // A seeding or a reset under way leaves the stores different on purpose; the same command finishes it.
    if (coupon.state !== 'ready') return finished(couponId, coupon.state, null, {}, coupon.total);
    const tally = new AuditTally(couponId, new Set(except));
    let sum = 0;
    const looked = (users: number): void => events?.looked(couponId, (sum += users));
    const { late, ...users } = await auditUsers(ports, couponId, scan, counting(tally), looked, notes);
    for (const userId of late) tally.user('served_out_of_order', userId, {});
    const { redis, issued } = await auditTotals(
      ports,
      coupon,
      { adoptable: users.adoptable, erased: await erasedOf(ports, couponId, except) },
      tally,
    );
    if (isRewritten(coupon, redis)) notes.add('hash_rewritten', null, couponId);
    const now = await ports.ledger.coupon(couponId);
    if (now?.epoch === coupon.epoch && now.state === 'ready') {
      const { stock = null, waiting = 0, claimed = 0, dead = 0 } = redis ?? {};
      return {
        coupon: { couponId, total: now.total, stock, waiting, claimed, dead, issued, ...users, skipped: null },
        findings: tally.reports(),
      };
    }
    // Reset meanwhile: what was found belongs to a life that is over.
    coupon = now;
  }
  return finished(couponId, 'changed', null);
}

function finished(couponId: string, skipped: CouponAudit['skipped'], code: FindingCode | null, facts: Facts = {}, total = 0): CouponResult {
  const tally = new AuditTally(couponId);
  if (code) tally.coupon(code, facts);
  const none = { stock: null, waiting: 0, claimed: 0, dead: 0, issued: 0, inFlight: 0, adoptable: 0 };
  return { coupon: { couponId, total, ...none, skipped }, findings: tally.reports() };
}

/** Looked for twice: a reset takes a coupon out of the ledger before it is seeded again. */
async function lastingOrphans(ports: AuditPorts): Promise<OnlyInRedis> {
  const once = await onlyInRedis(ports);
  if (once.couponIds.length === 0) return once;
  await ports.clock.sleep(SETTLE_MS);
  const again = await onlyInRedis(ports);
  return { ...again, couponIds: once.couponIds.filter((couponId) => again.couponIds.includes(couponId)) };
}
