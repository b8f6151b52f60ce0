import { scoreToMicros } from '../../src/campaign/coupon.ts';
import type { Campaign } from './state.ts';

/** Of everybody who may have been told where they stand; 0: there is nobody. */
export function latestRequest({ redis: { waiting, claims, dead, admitted }, ledger }: Pick<Campaign, 'redis' | 'ledger'>): number {
  // The highest score alone, in whatever unit.
  const scores = [Math.max(...waiting.values()), ...[...claims.values()].map((claim) => claim.score)];
  const buried = [...dead.keys()].map((userId) => admitted.get(userId)?.score ?? 0);
  const times = [...scores, ...buried].map((score) => scoreToMicros(score) ?? 0);
  return Math.max(0, ...times, ...[...ledger.rows.values()].map((row) => row.requestedUs));
}

/**
 * A shared hash that the service has written anew belongs to the coupon again, unless its stock promises more than there is. What an
 * operator said last is in the ledger.
 */
export function takeBack({ redis, ledger, server }: Campaign): void {
  const coupon = redis.coupon!;
  const isOurs = ledger.shared && ledger.mayBeMissing === null && coupon.epoch === '' && redis.life === ledger.epoch;
  const returned = ledger.returnedQuantity + [...redis.dead.values()].filter((reason) => reason === 'over_promised').length;
  if (!isOurs || Number.isNaN(coupon.stock) || coupon.stock + redis.admitted.size > ledger.total + returned) return;
  const { total, epoch, version, name, closesAt, maxFence, minFence, returnedQuantity, saleState } = ledger;
  const fence = Math.max(maxFence, ...[...redis.claims.values()].map((claim) => claim.fence));
  Object.assign(coupon, { total, epoch, version, name, closesAt, fence, minFence, returned, givenBack: returnedQuantity, acked: maxFence });
  Object.assign(coupon, { suspect: '', run: server, state: saleState || coupon.state || 'open', lastUs: latestRequest({ redis, ledger }) });
}
