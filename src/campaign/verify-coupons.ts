import type { LedgerReader } from './ports/ledger.ts';
import { verifyCoupon } from './known-coupon.ts';
import type { VerifyPorts } from './verify-coupon.ts';
import { CouponError, isOutage } from '../lib/errors.ts';

/**
 * Checks every coupon that is ready against the ledger, so that the first request need not wait for it. What cannot be served
 * is returned, not thrown: the other coupons are none the worse for it.
 *
 * @throws CouponError of kind `unreachable`
 */
export async function verifyCoupons(
  ports: VerifyPorts & { ledger: Pick<LedgerReader, 'coupons'> },
  keyStyle: string,
): Promise<CouponError[]> {
  const coupons = (await ports.ledger.coupons()).filter((coupon) => coupon.state === 'ready' && coupon.keyStyle === keyStyle);
  const problems: CouponError[] = [];
  for (const coupon of coupons) {
    try {
      await verifyCoupon(ports, coupon);
    } catch (error) {
      if (!(error instanceof CouponError) || isOutage(error)) throw error;
      problems.push(error);
    }
  }
  return problems;
}
