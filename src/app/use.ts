import { isOutage } from './drain.ts';
import type { Ledger, UsePort, UseResult } from './ports.ts';

export interface UsePorts {
  ledger: Pick<Ledger, 'use'>;
  hashes: UsePort;
}

/** `followed`: the issued hash in Redis shows the use too; false when it does not exist, or Redis is away. */
export type UseAnswer = UseResult & { followed: boolean };

/**
 * Marks an issued coupon as used, once. The ledger decides; Redis follows. The same use id may be asked again and gets the same
 * answer, and each time the hash is brought up to date, so that a repeat heals what an outage of Redis left behind.
 *
 * @throws CouponError of kind `unreachable` without the ledger
 */
export async function useCoupon(ports: UsePorts, couponId: string, userId: string, useId: string): Promise<UseAnswer> {
  const result = await ports.ledger.use(couponId, userId, useId);
  if (result.status !== 'used' && result.status !== 'already_used') return { ...result, followed: false };
  return { ...result, followed: await follow(ports.hashes, couponId, userId, result.usedAt) };
}

async function follow(hashes: UsePort, couponId: string, userId: string, usedAt: Date): Promise<boolean> {
  try {
    return await hashes.use(couponId, userId, usedAt);
  } catch (error) {
    // The coupon is used, whatever Redis says; `audit --repair` closes the gap.
    if (isOutage(error)) return false;
    throw error;
  }
}
