import type { CouponDirectory } from './coupon-directory.ts';
import type { RedisReader } from '../campaign/ports.ts';

/** What is left of a coupon, as users may see it. Times are ISO 8601; null: no limit. */
export interface Availability {
  couponId: string;
  name: string;
  state: string;
  /** A request that arrived now, from somebody new, would be accepted. */
  accepting: boolean;
  total: number | null;
  stock: number | null;
  waiting: number;
  claimed: number;
  opensAt: string | null;
  closesAt: string | null;
}

export interface AvailabilityPorts {
  reader: Pick<RedisReader, 'coupon' | 'now'>;
  directory: CouponDirectory;
}

export type AvailabilityAnswer = { status: 'found'; coupon: Availability } | { status: 'unknown_coupon' | 'unavailable' };

/** @throws CouponError of kind `unreachable` */
export async function availability(ports: AvailabilityPorts, couponId: string): Promise<AvailabilityAnswer> {
  const [coupon, now] = await Promise.all([ports.reader.coupon(couponId), ports.reader.now()]);
  if (!coupon) return { status: (await ports.directory.has(couponId)) ? 'unavailable' : 'unknown_coupon' };
  const opened = coupon.opensAt === '' || now >= Date.parse(coupon.opensAt);
  const closed = coupon.closesAt !== '' && now >= Date.parse(coupon.closesAt);
  const left = coupon.stock !== null && coupon.stock > 0;
  return {
    status: 'found',
    coupon: {
      couponId,
      name: coupon.name,
      state: coupon.state,
      accepting: coupon.state === 'open' && coupon.suspect === '' && opened && !closed && left,
      total: coupon.total,
      stock: coupon.stock,
      waiting: coupon.waiting,
      claimed: coupon.claimed,
      opensAt: coupon.opensAt || null,
      closesAt: coupon.closesAt || null,
    },
  };
}
