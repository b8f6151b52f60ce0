import type { Acknowledgement } from '../campaign/ports/acknowledgement.ts';
import type { LedgerReader } from '../campaign/ports/ledger.ts';
import { isOutage } from '../lib/errors.ts';
import { isCouponFault } from '../campaign/wrong-type.ts';
import type { UseHashes, UseLedger, UseResult } from '../campaign/ports/use.ts';

export interface UsePorts {
  ledger: Pick<LedgerReader, 'coupon' | 'rows'> & UseLedger;
  hashes: UseHashes;
  claims: Acknowledgement;
  keyStyle: string;
}

/** `followed`: the issued hash in Redis shows the use too; false when Redis is away or has lost the coupon. */
export type UseAnswer = UseResult & { followed: boolean };

/**
 * Marks an issued coupon as used, once. The ledger decides; Redis follows. The same use id may be asked again and gets the same
 * answer, and each time the hash is brought up to date, so that a repeat heals what an outage of Redis left behind.
 *
 * @throws CouponError of kind `unreachable` without the ledger
 */
export async function useCoupon(ports: UsePorts, couponId: string, userId: string, useId: string): Promise<UseAnswer> {
  const result = await ports.ledger.use(couponId, userId, useId, ports.keyStyle);
  if (result.status !== 'used' && result.status !== 'already_used') return { ...result, followed: false };
  return { ...result, followed: await follow(ports, couponId, userId, result.usedAt) };
}

async function follow({ ledger, hashes, claims }: UsePorts, couponId: string, userId: string, usedAt: Date): Promise<boolean> {
  try {
    if (await hashes.use(couponId, userId, usedAt)) return true;
    // No hash yet: the drain has committed and not acknowledged. Its ack would carry the row from before the use, so ours
    // comes first; what an ack finds filled in, it keeps.
    const [coupon, rows] = [await ledger.coupon(couponId), await ledger.rows(couponId, [userId])];
    return coupon !== null && (await claims.ack(couponId, coupon.epoch, rows)) === 'ok';
  } catch (error) {
    // The coupon is used, whatever Redis says; `audit --repair` closes the gap.
    if (isOutage(error) || isCouponFault(error)) return false;
    throw error;
  }
}
