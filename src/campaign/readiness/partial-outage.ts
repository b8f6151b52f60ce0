import { CouponError, isOutage } from '../../lib/errors.ts';

/** A server of a Redis Cluster is away, gives the keys of some coupons to another one, or has no replica that keeps up. */
export type PartialOutage = 'REDIS_NODE_DOWN' | 'REDIS_SLOT_MOVING' | 'REPLICA_UNCONFIRMED';

const CODES: ReadonlySet<string> = new Set<PartialOutage>(['REDIS_NODE_DOWN', 'REDIS_SLOT_MOVING', 'REPLICA_UNCONFIRMED']);

/** Whether an outage concerns some coupons alone: all others go on. */
export function isPartialOutage(error: unknown): error is CouponError {
  return isOutage(error) && CODES.has(error.code);
}
