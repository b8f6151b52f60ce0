import type { Ledger, LedgerCoupon } from './ports.ts';

const FRESH_MS = 1_000;

/**
 * The coupons of the ledger, read at most once a second however many requests ask, and by one query at a time.
 *
 * Whoever sends requests for made-up coupons must not be able to turn each of them into a query. A list costs the ledger the
 * same as a look at one row, because coupons are few, and it also answers for ids that nobody has asked about before.
 */
export class CouponDirectory {
  readonly #ledger: Pick<Ledger, 'coupons'>;
  readonly #now: () => number;
  #loaded: { at: number; coupons: Promise<readonly LedgerCoupon[]> } | null = null;

  /** @param now milliseconds, monotonic */
  constructor(ledger: Pick<Ledger, 'coupons'>, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /**
   * Up to a second old. A failure is kept as long as a list: a ledger that is down is not asked more often either.
   *
   * @throws CouponError as the ledger does
   */
  all(): Promise<readonly LedgerCoupon[]> {
    if (!this.#loaded || this.#now() - this.#loaded.at >= FRESH_MS) {
      const loaded = { at: this.#now(), coupons: this.#ledger.coupons() };
      this.#loaded = loaded;
      // Age counts from the answer, so that a slow ledger is never asked twice at a time.
      const done = (): void => void (loaded.at = this.#now());
      loaded.at = Number.POSITIVE_INFINITY;
      loaded.coupons.then(done, done);
    }
    return this.#loaded.coupons;
  }

  async has(couponId: string): Promise<boolean> {
    return (await this.all()).some((coupon) => coupon.id === couponId);
  }
}
