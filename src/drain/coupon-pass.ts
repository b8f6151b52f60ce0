import type { WrongType } from '../campaign/wrong-type.ts';

/** What happened to one coupon in one pass. */
export interface CouponPass {
  couponId: string;
  issued: number;
  reclaimed: number;
  dead: number;
  /** Claims given back because the ledger holds no row for them. */
  released: number;
  /** Left in the queue. */
  waiting: number;
  /** The worker that drains the backlog; this one stands by. */
  heldBy?: string;
  /**
   * Users who were dead-lettered in this pass, with what the ledger said, or why they are no user ids. Left out when there are none,
   * as are the next two.
   */
  refused?: { userId: string; reason: string }[];
  /** Users whose score was no time: they count as having asked now. */
  timeless?: string[];
  /** Issued keys that hold another type: their users are issued in the ledger alone. */
  occupied?: WrongType[];
  /**
   * Why the coupon was skipped; see SUSPECT_REASONS for `suspect`. `refused`: the ledger takes no user, for the `reason` that it gave;
   * `busy`: the same, but it may pass by itself. `wrong_type`: a key holds another type; `redis_refused`: Redis refused a command on
   * its keys; `node_down`: its server of a Redis Cluster is away, its keys are moving, or no replica confirms them; `serialised`: no coupon at
   * all, but the key of a queue that a serializer spelled.
   */
  skipped?:
    | 'gone'
    | 'epoch'
    | 'suspect'
    | 'key_style'
    | 'unfinished'
    | 'no_ledger'
    | 'refused'
    | 'busy'
    | 'wrong_type'
    | 'redis_refused'
    | 'node_down'
    | 'serialised';
  reason?: string;
  /** The one user who waits is refused; whether everybody would be shows in a later pass. */
  undecided?: true;
}

export function emptyPass(couponId: string): CouponPass {
  return { couponId, issued: 0, reclaimed: 0, dead: 0, released: 0, waiting: 0 };
}
