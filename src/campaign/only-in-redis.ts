import type { Ledger, RedisReader } from './ports.ts';

/**
 * Ids of seeded coupons that Redis has and the ledger has not: the database was replaced, or this is another one. An id that
 * merely stands in the index is no coupon; a reset that stopped half-way leaves such behind.
 */
export async function onlyInRedis({ reader, ledger }: { reader: RedisReader; ledger: Ledger }): Promise<string[]> {
  const indexed = await reader.indexed();
  const known = new Set((await ledger.coupons()).map((coupon) => coupon.id));
  const found: string[] = [];
  for (const couponId of indexed) {
    if (!known.has(couponId) && (await reader.coupon(couponId))) found.push(couponId);
  }
  return found;
}
