import type { AuditPorts } from './ports.ts';
import { isExplained, type Erased } from './excepted.ts';
import type { Finding } from './findings.ts';
import { judgeCoupon, judgeStock } from './reconcile/coupon.ts';
import type { AuditTally } from './tally.ts';
import { countAdoptable } from './users.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import type { RedisCoupon } from '../campaign/ports/redis-reader.ts';

const NOTHING_COUNTED = { issuedQuantity: 0, returnedQuantity: 0, rows: 0, returned: 0, maxFence: 0 };
const LOOKS = 5;
const SETTLE_MS = 200;

export interface CouponTotals {
  redis: RedisCoupon | null;
  issued: number;
}

/**
 * Compares counters and settings. Each look takes Redis's counters in one step, but the members of the queue that another
 * service wrote cannot be counted in that same step; so while the coupon moves, a finding counts only if every look has it.
 *
 * @param users what is known of single users: members of another service as the walk counted them, for the first look, and records
 *   that were erased by hand
 */
export async function auditTotals(
  ports: AuditPorts,
  coupon: LedgerCoupon,
  { adoptable, erased }: { adoptable: number; erased: Erased },
  tally: AuditTally,
): Promise<CouponTotals> {
  let kept: Finding[] | null = null;
  let totals: CouponTotals = { redis: null, issued: 0 };
  for (let look = 1; look <= LOOKS; look++) {
    if (look > 1) await ports.clock.sleep(SETTLE_MS);
    const ledger: LedgerCoupon = (await ports.ledger.coupon(coupon.id)) ?? coupon;
    const { sharedStockField } = ledger;
    const redis = await ports.reader.coupon(coupon.id, sharedStockField);
    const counts = (await ports.ledger.counts(coupon.id)) ?? NOTHING_COUNTED;
    const foreign = look === 1 ? adoptable : await countAdoptable(ports, coupon.id);
    const after = await ports.reader.coupon(coupon.id, sharedStockField);
    totals = { redis: after, issued: counts.rows };
    const found = [...judgeCoupon(ledger, redis, counts), ...stockFindings(ledger, redis, after, foreign)].filter(
      (one) => !isExplained(one, erased),
    );
    kept = kept === null ? found : found.filter((one) => kept?.some((other) => other.code === one.code));
    if (kept.length === 0 || (look > 1 && isQuiet(redis, after))) break;
  }
  for (const { code, facts } of kept ?? []) tally.coupon(code, facts);
  return totals;
}

/** What the counters say both before and after the foreign members were counted. */
function stockFindings(ledger: LedgerCoupon, before: RedisCoupon | null, after: RedisCoupon | null, foreign: number): Finding[] {
  if (!before || !after) return [];
  const later = judgeStock(ledger, after, foreign).map((found) => found.code);
  return judgeStock(ledger, before, foreign).filter((found) => later.includes(found.code));
}

function isQuiet(before: RedisCoupon | null, after: RedisCoupon | null): boolean {
  if (!before || !after) return before === after;
  const numbers = ({ stock, admitted, waiting, claimed, returned, fence }: RedisCoupon): string =>
    [stock, admitted, waiting, claimed, returned, fence].join();
  return numbers(before) === numbers(after);
}
