import { isCouponFault } from '../campaign/wrong-type.ts';
import type { CouponPass } from './coupon-pass.ts';
import type { ClaimQueue } from './ports.ts';

/** No user waiting and none claimed, by any worker, in any coupon that this drain serves. */
export async function isEmpty({ claims }: { claims: ClaimQueue }, passes: readonly CouponPass[]): Promise<boolean> {
  for (const pass of passes) {
    if (pass.skipped === 'busy' || pass.skipped === 'node_down' || pass.undecided) return false;
    if (pass.skipped) continue;
    if ((await backlogOf(claims, pass.couponId)) > 0) return false;
  }
  return true;
}

/** Waiting and claimed. A coupon whose keys cannot be read has none that could be served; its next pass says so. */
async function backlogOf(claims: ClaimQueue, couponId: string): Promise<number> {
  try {
    const { waiting, claimed } = await claims.backlog(couponId);
    return waiting + claimed;
  } catch (error) {
    if (isCouponFault(error)) return 0;
    throw error;
  }
}
