import type { LedgerCoupon, LedgerReader } from './ports/ledger.ts';
import type { Verification, VerifyResult } from './ports/verification.ts';

export interface VerifyPorts {
  verification: Verification;
  ledger: Pick<LedgerReader, 'coupon' | 'latestRequestUs'>;
}

/** Reason for which a coupon is suspect when it is the ledger that lost data. */
export const LEDGER_BEHIND = 'ledger';

/**
 * Compares a coupon in both stores, each against what the other is known to have reached; marks it as checked for the server that
 * now runs, or as suspect.
 *
 * @param coupon as the ledger had it a moment before
 * @throws CouponError of kind `unreachable`
 */
export async function verifyAgainstLedger(ports: VerifyPorts, coupon: LedgerCoupon): Promise<VerifyResult> {
  let result = await ports.verification.verify(coupon.id, coupon);
  if (result.status === 'suspect' && result.reason === 'fields' && coupon.sharedStockField !== null && coupon.mayBeMissing === null) {
    const latestUs = await ports.ledger.latestRequestUs(coupon.id);
    if (await ports.verification.takeBack(coupon, latestUs)) result = await ports.verification.verify(coupon.id, coupon);
  }
  if (result.status !== 'ok' || !(await isLedgerBehind(ports, coupon, result.acked))) return result;
  return { status: 'suspect', reason: LEDGER_BEHIND };
}

/**
 * Whether the ledger has less than it once had: a backup was restored, or a standby took over that had not received everything. A
 * claim is acknowledged in Redis only after the ledger committed it, so a ledger that is read after Redis must have reached it.
 * The coupon is then suspect in Redis too.
 *
 * @param acked highest acknowledged fence, from Redis
 */
export async function isLedgerBehind({ ledger, verification }: VerifyPorts, coupon: LedgerCoupon, acked: number): Promise<boolean> {
  if (acked <= coupon.maxFence) return false;
  // Another worker may have drained since the ledger was read.
  const now = await ledger.coupon(coupon.id);
  if (now?.epoch !== coupon.epoch || acked <= now.maxFence) return false;
  await verification.markSuspect(coupon.id, coupon.epoch, LEDGER_BEHIND);
  return true;
}
