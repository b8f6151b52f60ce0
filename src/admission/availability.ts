import { isoTime } from '../campaign/coupon.ts';
import { readForeignDate } from '../campaign/foreign-time.ts';
import { saleState } from '../campaign/sale-state.ts';
import { stateByWindow, unreadableWindow } from '../campaign/unreadable-window.ts';
import type { CouponDirectory } from './coupon-directory.ts';
import type { RedisReader } from '../campaign/ports/redis-reader.ts';

/** What is left of a coupon, as users may see it. Times are ISO 8601; null: no limit. */
export interface Availability {
  couponId: string;
  name: string;
  /** One of `SALE_STATES`. `unreadable_time`: it takes no requests because of {@link Availability.unreadable}. */
  state: string;
  /** A request of a new user that arrived now would be accepted. */
  accepting: boolean;
  total: number | null;
  stock: number | null;
  waiting: number;
  claimed: number;
  opensAt: string | null;
  closesAt: string | null;
  /** Those of the two that Redis holds as a text that is no time. Left out when there are none. */
  unreadable?: string[];
}

export interface AvailabilityPorts {
  reader: Pick<RedisReader, 'coupon' | 'now'>;
  directory: CouponDirectory;
}

export type AvailabilityAnswer = { status: 'found'; coupon: Availability } | { status: 'unknown_coupon' | 'unavailable' };

const CAMEL = { opens_at: 'opensAt', closes_at: 'closesAt' } as const;

/** @throws CouponError of kind `unreachable` */
export async function availability(ports: AvailabilityPorts, couponId: string): Promise<AvailabilityAnswer> {
  const [coupon, now] = await Promise.all([ports.reader.coupon(couponId), ports.reader.now()]);
  if (!coupon) return { status: (await ports.directory.has(couponId)) ? 'unavailable' : 'unknown_coupon' };
  // Read as `admit.lua` reads them; it takes no requests for a window that cannot be read.
  const [opensAt, closesAt] = [readForeignDate(coupon.opensAt), readForeignDate(coupon.closesAt)];
  const unreadable = unreadableWindow(coupon);
  const opened = opensAt !== 'unreadable' && (opensAt === null || now >= opensAt.getTime());
  const closed = closesAt === 'unreadable' || (closesAt !== null && now >= closesAt.getTime());
  const left = coupon.stock !== null && coupon.stock > 0;
  return {
    status: 'found',
    coupon: {
      couponId,
      name: coupon.name,
      state: saleState(
        {
          ...coupon,
          state: stateByWindow(coupon.state, unreadable),
          suspect: coupon.suspect || null,
          opensAt: readable(opensAt),
          closesAt: readable(closesAt),
        },
        now,
      ),
      accepting: coupon.state === 'open' && coupon.suspect === '' && opened && !closed && left,
      total: coupon.total,
      stock: coupon.stock,
      waiting: coupon.waiting,
      claimed: coupon.claimed,
      opensAt: isoOf(opensAt),
      closesAt: isoOf(closesAt),
      ...(unreadable.length > 0 ? { unreadable: unreadable.map((field) => CAMEL[field]) } : {}),
    },
  };
}

function readable(date: Date | null | 'unreadable'): Date | null {
  return date === 'unreadable' ? null : date;
}

function isoOf(date: Date | null | 'unreadable'): string | null {
  return isoTime(readable(date)) || null;
}
