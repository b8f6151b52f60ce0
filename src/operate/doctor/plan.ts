import type { CouponDefinition } from '../../campaign/coupon.ts';

/** What the stores are to carry. */
export interface Plan {
  /** Processes of `serve` and `drain` that run at once. */
  processes: number;
  /** Connections to PostgreSQL that one of them opens at most. */
  poolSize: number;
  /** Clients of one `serve` that may be connected at once. */
  clients: number;
  /** Users who will be accepted, by the server of Redis that holds them; null: it is not known how many. */
  users: readonly { address: string | null; users: number }[] | null;
  event: EventPlan | null;
}

export interface EventPlan {
  file: string;
  coupons: readonly CouponDefinition[];
  /** Coupons that are issued in a second, of each coupon; Infinity: as fast as the stores take them. */
  perSecond: number;
  now: Date;
}
