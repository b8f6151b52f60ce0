import type { Campaign } from './state.ts';

export type RetryAnswer = 'ok' | 'not_dead' | 'invalid' | 'no_stock' | 'not_admitted' | 'epoch';
export type DropAnswer = 'ok' | 'not_dead' | 'not_admitted' | 'no_stock_field' | 'issued' | 'epoch';

/** Puts a dead-lettered user back into the queue, at the original place. */
export function retry({ redis, ledger }: Campaign, userId: string): RetryAnswer {
  const { coupon, dead, admitted, waiting } = redis;
  if (coupon?.epoch !== ledger.epoch) return 'epoch';
  const reason = dead.get(userId);
  if (reason === undefined) return 'not_dead';
  // Would only be dead-lettered again.
  if (reason === 'invalid_user_id' || reason === 'looks_serialised') return 'invalid';
  const request = admitted.get(userId);
  if (!request) return 'not_admitted';
  if (reason === 'over_promised') {
    if (!(coupon.stock > 0)) return 'no_stock';
    coupon.stock -= 1;
    coupon.returned = oneLess(coupon.returned);
  }
  dead.delete(userId);
  waiting.set(userId, request.score);
  return 'ok';
}

/** Gives a dead-lettered user up: the coupon is back in stock, and the user may ask again. Nobody is taken a coupon. */
export function drop({ redis, ledger }: Campaign, userId: string): DropAnswer {
  const { coupon, dead, admitted } = redis;
  if (ledger.rows.has(userId)) return 'issued';
  if (coupon?.epoch !== ledger.epoch) return 'epoch';
  const reason = dead.get(userId);
  if (reason === undefined) return 'not_dead';
  if (!admitted.has(userId)) return 'not_admitted';
  if (Number.isNaN(coupon.stock)) return 'no_stock_field';
  // A user promised beyond the total has given the coupon up already.
  if (reason === 'over_promised') coupon.returned = oneLess(coupon.returned);
  else coupon.stock += 1;
  for (const place of [dead, redis.claims, redis.waiting, admitted]) place.delete(userId);
  return 'ok';
}

/** Another program may have overwritten the number; a repair counts it anew. */
function oneLess(returned: number): number {
  return Math.max(returned - 1, 0);
}
