import { CouponError, isOutage } from '../lib/errors.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import { ledgerLimitMs } from '../campaign/readiness/liveness.ts';
import { isPartialOutage } from '../campaign/readiness/partial-outage.ts';
import { isCouponFault, WrongTypeError } from '../campaign/wrong-type.ts';
import { claimBatch, settleBatch } from './coupon-batch.ts';
import { emptyPass, type CouponPass } from './coupon-pass.ts';
import { issueTogether } from './issue-together.ts';
import { inLanes, lanesFor } from './lanes.ts';
import type { DrainOptions, DrainPorts } from './ports.ts';

/** Coupons that are drained at a time: a slow one does not hold up the others. Each holds a connection to the ledger. */
const COUPONS_AT_ONCE = 3;

/** The batch that goes before all others: while it is small, they hardly wait for it. */
const BATCH_ALONE = 100;

/**
 * One pass over all coupons, a few at a time. Once `stop` is aborted no further batch begins.
 *
 * @param rest coupons that are left alone in this pass, with what is to be said of them
 */
export async function drainPass(
  ports: DrainPorts,
  options: DrainOptions,
  stop: AbortSignal,
  rest: (couponId: string) => CouponPass | null = () => null,
): Promise<CouponPass[]> {
  const known = await ports.ledger.coupons();
  const wanted = options.couponIds.length > 0 ? known.filter((coupon) => options.couponIds.includes(coupon.id)) : known;
  const passes = await drainEach(wanted, async (coupon) => rest(coupon.id) ?? drainReadable(ports, options, coupon, stop), stop);
  if (options.scan) {
    const ids = new Set(known.map((coupon) => coupon.id));
    const { couponIds, serialised } = await ports.coupons.scanQueues();
    for (const couponId of couponIds) if (!ids.has(couponId)) passes.push({ ...emptyPass(couponId), skipped: 'no_ledger' });
    for (const key of serialised) passes.push({ ...emptyPass(key), skipped: 'serialised' });
  }
  return passes;
}

/** In the order of the coupons. @throws what is no outage; an outage that more than one coupon met, or no coupon got through */
async function drainEach(
  coupons: readonly LedgerCoupon[],
  drain: (coupon: LedgerCoupon) => Promise<CouponPass>,
  stop: AbortSignal,
): Promise<CouponPass[]> {
  const passes = new Map<string, CouponPass>();
  const outages: CouponError[] = [];
  const left = coupons.values();
  const worker = async (): Promise<void> => {
    for (const coupon of left) {
      if (stop.aborted || outages.length > 1) return;
      try {
        passes.set(coupon.id, await drain(coupon));
      } catch (error) {
        if (!isOutage(error)) throw error;
        const reason = [error.message, error.why].filter(Boolean).join(': ');
        const partial = isPartialOutage(error);
        passes.set(coupon.id, { ...emptyPass(coupon.id), skipped: partial ? 'node_down' : 'busy', reason });
        // A trigger may raise what looks like an outage. A second coupon tells the two apart.
        if (!partial) outages.push(error);
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: COUPONS_AT_ONCE }, worker));
  for (const one of workers) if (one.status === 'rejected') throw one.reason;
  const done = coupons.flatMap((coupon) => passes.get(coupon.id) ?? []);
  const [outage] = outages;
  if (outage && (outages.length > 1 || !done.some((pass) => pass.issued > 0))) throw outage;
  return done;
}

/** What is wrong with the keys of one coupon does not keep the others from being drained. */
async function drainReadable(stores: DrainPorts, options: DrainOptions, listed: LedgerCoupon, stop: AbortSignal): Promise<CouponPass> {
  const coupon = { ...listed };
  const { batch } = options;
  const ports = { ...stores, ledger: { ...stores.ledger, ...issueTogether(stores.ledger, coupon.id, ledgerLimitMs(options.leaseMs)) } };
  try {
    return await inLanes(
      coupon.id,
      {
        claim: async (waiting, alone) =>
          claimBatch(ports, alone ? { ...options, batch: Math.min(batch, BATCH_ALONE) } : options, coupon, waiting),
        settle: async (claimed, ahead) => settleBatch(ports, options, coupon, await claimed, ahead),
      },
      { forMs: options.sliceMs ?? 0, lanes: lanesFor(batch) },
      stop,
    );
  } catch (error) {
    if (!isCouponFault(error)) throw error;
    const fault =
      error instanceof WrongTypeError ? (['wrong_type', error.message] as const) : (['redis_refused', error.why ?? ''] as const);
    return { ...emptyPass(coupon.id), skipped: fault[0], reason: fault[1] };
  }
}
