import { emptyPass, type CouponPass } from './coupon-pass.ts';

/**
 * Batches of one coupon that are under way at a time: while the ledger commits one, the next is claimed and the one before is
 * acknowledged. The ledger's lock on the coupon keeps them one after the other there, so where several workers share a coupon their batches
 * are enough, and each has one under way.
 */
const LANES = 3;

/**
 * Drains one coupon batch after batch for a while. The first batch goes alone, so that what is wrong with the coupon is met once.
 *
 * @param drainBatch one batch, from its claim to its end
 * @param forMs a batch that has begun is always finished; 0: only one
 * @throws what a batch threw, once all of them have ended
 */
export async function inLanes(
  couponId: string,
  drainBatch: () => Promise<CouponPass>,
  forMs: number,
  stop: AbortSignal,
): Promise<CouponPass> {
  const endMs = performance.now() + forMs;
  const total = emptyPass(couponId);
  const state = { over: false, shared: false };
  const one = async (): Promise<void> => {
    try {
      const pass = await drainBatch();
      add(total, pass);
      state.shared ||= pass.others === true;
      // A backlog of claims that other workers hold is no reason to spin.
      state.over ||= pass.skipped !== undefined || pass.waiting === 0 || pass.issued === 0;
      state.over ||= stop.aborted || performance.now() >= endMs;
    } catch (error) {
      state.over = true;
      throw error;
    }
  };
  const first = async (): Promise<void> => {
    while (!state.over) await one();
  };
  const further = async (): Promise<void> => {
    while (!state.over && !state.shared) await one();
  };
  await one();
  if (forMs === 0) return total;
  const lanes = await Promise.allSettled([first(), ...Array.from({ length: LANES - 1 }, further)]);
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
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
