import { emptyPass, type CouponPass } from './coupon-pass.ts';

/** Under way at a time: while the ledger commits one batch, the next is claimed and the one before is acknowledged. */
const FEWEST_LANES = 3;
/** Of small batches more wait for the disks together. With more than six of 100, requests of users wait longer for Redis. */
const MOST_LANES = 6;
const USERS_UNDER_WAY = 3_000;

/** With each claim of a backlog a worker keeps the others off it for so long. When it hangs or ends, they wait no longer than that. */
export const HOLD_MS = 500;

/** Batches of one coupon that are under way at a time. @param batch users in each at most */
export function lanesFor(batch: number): number {
  return Math.min(MOST_LANES, Math.max(FEWEST_LANES, Math.floor(USERS_UNDER_WAY / batch)));
}

/** A batch in its two parts. */
export interface BatchWork<Claimed> {
  /**
   * @param waiting users that the batch before left behind; 0: not known
   * @param alone nothing else is done meanwhile, though more wait behind: the smaller the batch, the sooner they get their turn
   */
  claim(waiting: number, alone: boolean): Promise<Claimed>;
  /** From what was claimed to its end. `ahead` is called when only the acknowledgement is left, with how many users wait. */
  settle(claimed: Promise<Claimed>, ahead: (waiting: number) => void): Promise<CouponPass>;
}

/**
 * Drains one coupon batch after batch for a while. The first batch goes alone, so that what is wrong with the coupon is met once. A lane
 * begins when the one before has its first claim, so that the ledger has work at once. It sends its next claim right behind an
 * acknowledgement: Redis then waits for its disk once for both.
 *
 * @param forMs a batch that has begun is always finished; 0: only one
 * @throws what a batch threw, once all of them have ended
 */
export async function inLanes<Claimed>(
  couponId: string,
  work: BatchWork<Claimed>,
  { forMs, lanes }: { forMs: number; lanes: number },
  stop: AbortSignal,
): Promise<CouponPass> {
  const endMs = performance.now() + forMs;
  const total = emptyPass(couponId);
  const errors: unknown[] = [];
  let over = false;
  const goOn = (): boolean => !over && !stop.aborted && performance.now() < endMs;

  const lane = async (first: Promise<Claimed>, mayBegin: () => boolean): Promise<void> => {
    let next: Promise<Claimed> | null = first;
    while (next || mayBegin()) {
      const claimed: Promise<Claimed> = next ?? work.claim(total.waiting, false);
      next = null;
      try {
        const pass = await work.settle(claimed, (waiting) => {
          if (waiting === 0 || !mayBegin()) return;
          next = work.claim(waiting, false);
          next.catch(() => undefined);
        });
        add(total, pass);
        // A backlog of claims that other workers hold is no reason to spin.
        over ||= pass.skipped !== undefined || pass.waiting === 0 || pass.issued === 0;
      } catch (error) {
        over = true;
        errors.push(error);
      }
    }
  };
  await lane(work.claim(0, forMs > 0), () => false);
  const underWay: Promise<void>[] = [];
  const begin = (): void => {
    if (underWay.length === lanes || !goOn()) return;
    const first = work.claim(total.waiting, false);
    underWay.push(lane(first, goOn));
    void first.then(begin, () => undefined);
  };
  begin();
  // More come meanwhile: a lane has its first claim before it ends.
  for (const one of underWay) await one;
  if (errors.length > 0) throw errors[0];
  return total;
}

/** What has been done so far, and the state that the latest batch left behind. */
function add(
  total: CouponPass,
  { couponId: _same, issued, reclaimed, dead, released, refused, timeless, occupied, ...state }: CouponPass,
): void {
  total.issued += issued;
  total.reclaimed += reclaimed;
  total.dead += dead;
  total.released += released;
  if (refused) total.refused = [...(total.refused ?? []), ...refused];
  if (timeless) total.timeless = [...(total.timeless ?? []), ...timeless];
  if (occupied) total.occupied = [...(total.occupied ?? []), ...occupied];
  Object.assign(total, state);
}
