/** Why a load on a coupon of another service is not made: nothing was sent (exit 2). */
import { CouponError, usageError } from '../../lib/errors.ts';
import { shellQuoted } from '../../lib/text/suggested-command.ts';

export function foreignMissing(couponId: string, found: boolean): CouponError {
  return usageError(
    'SCENARIO_COUPON_MISSING',
    found
      ? `the hash of coupon "${couponId}" has no stock in it; nothing was sent`
      : `the service's Redis has no coupon "${couponId}"; nothing was sent`,
    'Let the service set the coupon up first, and check verify.redis (keys.coupon, fields.stock) in the scenario; `keys: {coupon: null}` leaves the stock out.',
  );
}

export function foreignDiffers(couponId: string, total: number, found: number): CouponError {
  return usageError(
    'SCENARIO_COUPON_DIFFERS',
    `the scenario has ${total} of coupon "${couponId}", the service has ${found}; nothing was sent`,
    'Make the total of the scenario that of the coupon, or let the service set up another coupon for the test.',
  );
}

export function foreignUsed(couponId: string, found: { waiting: number; issued: number; spent: number }): CouponError {
  return new CouponError({
    code: 'COUPON_NOT_FRESH',
    kind: 'usage',
    message: `coupon "${couponId}" has been used already (${found.spent} spent, ${found.waiting} waiting, ${found.issued} issued); nothing was sent`,
    why: 'a load would spend what is left of it',
    fix: `Take a fresh coupon, or add --allow-coupon ${shellQuoted(couponId)} if the rest may be spent.`,
  });
}
