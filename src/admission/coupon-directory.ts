import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import { cached } from '../lib/cached.ts';

/**
 * The coupons of the ledger, read at most once a second however many requests ask, and by one query at a time.
 *
 * Requests for made-up coupons must not turn each of them into a query. A list costs the ledger the
 * same as a look at one row, because coupons are few, and it also answers for ids that were not asked about before.
 */
export class CouponDirectory {
  /**
   * Up to a second old.
   *
   * @throws CouponError as the ledger does
   */
  readonly all: () => Promise<readonly LedgerCoupon[]>;

  /** @param now milliseconds, monotonic */
  constructor(ledger: Pick<LedgerReader, 'coupons'>, now: () => number) {
    this.all = cached(() => ledger.coupons(), now);
  }

  async has(couponId: string): Promise<boolean> {
    return (await this.all()).some((coupon) => coupon.id === couponId);
  }
}
