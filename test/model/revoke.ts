import { ack } from './claims.ts';
import type { Campaign } from './state.ts';

export type RevokeAnswer = 'done' | 'unchanged' | 'used';

/** Whether both stores are as they should be: otherwise a repair comes first. */
export function mayChange({ redis: { coupon }, ledger }: Campaign): boolean {
  const agree =
    coupon?.epoch === ledger.epoch &&
    coupon.version === ledger.version &&
    coupon.total === ledger.total &&
    coupon.givenBack === ledger.returnedQuantity;
  return agree && coupon.suspect === '' && !Number.isNaN(coupon.stock);
}

/** The row stays, and so does the admission; a coupon that goes back into the stock is no longer counted as issued, once. */
export function revoke(campaign: Campaign, userId: string, returnStock: boolean, now: Date): RevokeAnswer {
  const { redis, ledger } = campaign;
  const row = ledger.rows.get(userId)!;
  if (returnStock && row.usedAt) return 'used';
  if (returnStock ? row.returned : row.revokedAt) return 'unchanged';
  row.revokedAt ??= now;
  row.returned ||= returnStock;
  ack(campaign, ledger.epoch, [row]);
  const coupon = redis.coupon!;
  coupon.version = ledger.version += 1;
  if (!returnStock) return 'done';
  ledger.issuedQuantity -= 1;
  ledger.returnedQuantity += 1;
  for (const counter of ['stock', 'returned', 'givenBack'] as const) coupon[counter] += 1;
  return 'done';
}
