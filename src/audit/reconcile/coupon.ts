/** The judgement of one coupon from its totals and settings in both stores. Pure. */
import { printable } from '../../lib/text/visible.ts';
import { isoTime, type CouponDefinition } from '../../campaign/coupon.ts';
import type { LedgerCounts } from '../ports.ts';
import { durationFlag } from '../../lib/duration.ts';
import { finding, type Finding } from '../findings.ts';
import { readForeignTime } from '../../campaign/foreign-time.ts';
import type { RedisCoupon } from '../../campaign/ports/redis-reader.ts';

/** Where each user stands is judged elsewhere. */
export type RedisTotals = Omit<RedisCoupon, 'couponId' | 'state' | 'waiting' | 'claimed' | 'dead'>;

export interface LedgerTotals extends CouponDefinition {
  epoch: string;
  version: number;
  maxFence: number;
  mayBeMissing: number | null;
  returnedQuantity: number;
  sharedStockField: string | null;
}

/** The service that shares the hash of the coupon has written it anew; the next request or claim takes it back. */
export function isRewritten({ sharedStockField }: Pick<LedgerTotals, 'sharedStockField'>, redis: RedisTotals | null): boolean {
  return sharedStockField !== null && redis !== null && redis.epoch === '' && redis.suspect === '';
}

/**
 * Everything but the stock.
 *
 * @param ledger read before `redis`: the fence in Redis only rises, so a healthy live coupon never looks behind
 * @param counts the ledger's counter, its rows and its fence, from one snapshot that was taken after `redis`: in Redis only
 *   what the ledger has reached is ever acknowledged, so neither does a healthy ledger
 */
export function judgeCoupon(ledger: LedgerTotals, redis: RedisTotals | null, counts: LedgerCounts): Finding[] {
  const findings: Finding[] = [];
  const issued = counts.rows - counts.returned;
  if (Math.max(issued, counts.issuedQuantity) > ledger.total) {
    findings.push(finding('over_issued', { issued, total: ledger.total }));
  }
  if (issued !== counts.issuedQuantity || counts.returned !== counts.returnedQuantity) {
    const { issuedQuantity, returnedQuantity, rows, returned } = counts;
    const back = returned + returnedQuantity > 0 ? { returnedQuantity, returned } : {};
    findings.push(finding('issued_quantity_mismatch', { issuedQuantity, rows, ...back }));
  }
  if (ledger.mayBeMissing !== null) findings.push(finding('accepted_may_be_missing', { upTo: ledger.mayBeMissing }));
  if (!redis) return [...findings, finding('coupon_missing')];
  if (redis.suspect !== '') findings.push(finding('suspect', { reason: redis.suspect }));
  // What is missing then is the program's own, and the stock is judged by itself.
  if (isRewritten(ledger, redis)) return findings;
  if (redis.epoch === '') findings.push(finding('epoch_missing'));
  else if (redis.epoch !== ledger.epoch) findings.push(finding('epoch_mismatch', { redis: redis.epoch, ledger: ledger.epoch }));
  if (redis.version !== ledger.version) findings.push(finding('version_mismatch', { redis: redis.version, ledger: ledger.version }));
  if (redis.fence < ledger.maxFence) findings.push(finding('redis_behind', { fence: redis.fence, ledger: ledger.maxFence }));
  if (redis.acked > counts.maxFence) findings.push(finding('ledger_behind', { acked: redis.acked, ledger: counts.maxFence }));
  if (redis.total !== ledger.total) findings.push(finding('total_mismatch', { redis: redis.total, ledger: ledger.total }));
  const times = { opens_at: redis.opensAt, closes_at: redis.closesAt, ex_date: redis.expiresAt };
  const unreadable = Object.entries(times).filter(([, text]) => readForeignTime(text).kind === 'unreadable');
  if (unreadable.length > 0) {
    findings.push(finding('settings_unreadable_time', Object.fromEntries(unreadable.map(([field, text]) => [field, printable(text, 40)]))));
  }
  const fields = [...differingSettings(redis, ledger), ...(redis.unreadableNumbers ?? [])].filter(
    (field) => !unreadable.some(([name]) => name === field),
  );
  if (fields.length > 0) findings.push(finding('settings_mismatch', { fields: fields.join(', ') }));
  return findings;
}

/**
 * `total + returned = stock + |admitted ∪ waiting|`, and none of it below zero. What was returned is a number of this program: a hash that
 * was written anew has lost it, and the ledger has it, too.
 *
 * @param adoptable members of the queue that were never admitted: another service put them there
 */
export function judgeStock(ledger: LedgerTotals, redis: RedisTotals, adoptable: number): Finding[] {
  const { total, stock, admitted } = redis;
  const returned = isRewritten(ledger, redis) ? ledger.returnedQuantity : redis.returned;
  if (stock === null) return [finding('stock_missing')];
  if (total === null) return [];
  const expected = total + returned - admitted - adoptable;
  const findings: Finding[] = [];
  if (expected < 0) findings.push(finding('over_admitted', { accepted: admitted + adoptable, total: total + returned }));
  if (stock !== expected) findings.push(finding('stock_mismatch', { stock, expected, total, returned, accepted: admitted + adoptable }));
  return findings;
}

function differingSettings(redis: RedisTotals, ledger: LedgerTotals): string[] {
  const { expiry } = ledger;
  const pairs: [string, string, string][] = [
    ['name', redis.name, ledger.name],
    ['opens_at', redis.opensAt, isoTime(ledger.opensAt)],
    ['closes_at', redis.closesAt, isoTime(ledger.closesAt)],
    ['ex_date', redis.expiresAt, expiry.kind === 'at' ? isoTime(expiry.at) : ''],
    ['given_back', String(redis.givenBack), String(ledger.returnedQuantity)],
    ['valid_for', redis.validFor, expiry.kind === 'after' ? durationFlag(expiry.ms) : ''],
  ];
  return pairs.filter(([, there, here]) => there !== here).map(([field]) => field);
}
