import type { Claim } from '../campaign/coupon.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import { ledgerLimitMs } from '../campaign/readiness/liveness.ts';
import { isLedgerBehind, LEDGER_BEHIND, verifyAgainstLedger, type VerifyPorts } from '../campaign/verify-coupon.ts';
import type { WrongType } from '../campaign/wrong-type.ts';
import { emptyPass, type CouponPass } from './coupon-pass.ts';
import { issueBatch, lowestFence, type BatchResult } from './issue-batch.ts';
import { HOLD_MS } from './lanes.ts';
import type { ClaimOptions, ClaimResult, DrainOptions, DrainPorts } from './ports.ts';
import { judgeRefusals } from './refusal-verdict.ts';

/** No other user of the coupon fares better, or each will with the next claim. */
const DECIDED: ReadonlySet<string> = new Set(['epoch', 'ended', 'guarded']);

/** Claims of one pass while no row gets through: only one that does tells rows at fault from a coupon at fault. */
const LOOKS = 8;

/** What a claim came to, or why this drain claims no user of the coupon. */
export type Claimed = ClaimResult | { status: 'key_style' | 'unfinished'; reason: string };

/** @param waiting users that are known to wait */
export async function claimBatch(ports: DrainPorts, options: DrainOptions, coupon: LedgerCoupon, waiting: number): Promise<Claimed> {
  if (coupon.keyStyle !== options.keyStyle) return { status: 'key_style', reason: coupon.keyStyle };
  if (coupon.state !== 'ready') return { status: 'unfinished', reason: coupon.state };
  return claimVerified(ports, options, coupon, waiting);
}

/** Claims; a Redis that was restarted since is first checked against the ledger. */
async function claimVerified(ports: DrainPorts, options: DrainOptions, coupon: LedgerCoupon, waiting: number): Promise<ClaimResult> {
  const request = { ...claimOf(options, coupon.epoch), waiting };
  const first = await ports.claims.claim(coupon.id, request);
  if (first.status !== 'run' && first.status !== 'epoch') return first;
  const now = await ports.ledger.coupon(coupon.id);
  // Reset or purged since the pass began: the next pass sees its new life.
  if (now?.epoch !== coupon.epoch || now.state !== 'ready') return { status: 'epoch' };
  const verified = await verifyAgainstLedger(verifyPorts(ports), now);
  return verified.status === 'ok' ? ports.claims.claim(coupon.id, request) : verified;
}

/** From the claim to the acknowledgement. Users refused by the ledger are dead-lettered; those it does not return go back to the queue. */
export async function settleBatch(
  ports: DrainPorts,
  options: DrainOptions,
  coupon: LedgerCoupon,
  claimed: Claimed,
  ahead: (waiting: number) => void,
): Promise<CouponPass> {
  const pass = emptyPass(coupon.id);
  if (claimed.status === 'held') return { ...pass, waiting: claimed.waiting, heldBy: claimed.by };
  if (claimed.status !== 'ok') {
    const status = claimed.status === 'run' ? 'epoch' : claimed.status;
    return { ...pass, skipped: status, ...('reason' in claimed ? { reason: claimed.reason } : {}) };
  }
  pass.reclaimed = claimed.reclaimed;
  pass.dead = claimed.buried;
  pass.waiting = claimed.waiting;
  if (claimed.refused) pass.refused = claimed.refused;
  if (claimed.timeless) pass.timeless = claimed.timeless;
  // All that this pass holds: every way out gives back what it did not settle.
  const held = [...claimed.claims];
  try {
    if (await isLedgerBehind(verifyPorts(ports), coupon, claimed.acked)) {
      pass.released = await ports.claims.release(coupon.id, coupon.epoch, held);
      return { ...pass, skipped: 'suspect', reason: LEDGER_BEHIND };
    }
    return held.length === 0 ? pass : await issue(ports, options, coupon, held, pass, ahead);
  } catch (error) {
    // Whether the ledger committed is unknown. Giving back is right either way: an issued user is only acknowledged again.
    await ports.claims.release(coupon.id, coupon.epoch, held).catch(() => undefined);
    throw error;
  }
}

/** The ledger's part and what follows from it. */
async function issue(
  ports: DrainPorts,
  options: DrainOptions,
  coupon: LedgerCoupon,
  held: Claim[],
  before: CouponPass,
  ahead: (waiting: number) => void,
): Promise<CouponPass> {
  const { id, epoch } = coupon;
  const pass = { ...before };
  const { rows, refused, stopped } = await issueOrLookFurther(ports, options, coupon, held, pass);
  if (stopped?.status === 'epoch') return { ...pass, skipped: 'epoch' };
  const occupied: WrongType[] = [];
  const by = { fence: lowestFence(held), occupied: (wrong: WrongType) => occupied.push(wrong) };
  const acking = rows.length > 0 ? ports.claims.ack(id, epoch, rows, by) : ('ok' as const);
  if (rows.length === held.length) ahead(pass.waiting);
  const acked = await acking;
  if (acked === 'epoch') return { ...pass, skipped: 'epoch' };
  // Users with a row are acknowledged with the next claim, under the id that the row has then.
  if (acked === 'ended') return { ...pass, released: await ports.claims.release(id, epoch, held) };
  if (occupied.length > 0) pass.occupied = occupied;
  pass.issued = rows.length;
  // The ledger has reached at least this, so that what Redis says of it need not be looked up for the next batch.
  for (const row of rows) coupon.maxFence = Math.max(coupon.maxFence, row.fence);
  // A row from an earlier pass proves nothing about the ledger as it is now.
  const fences = new Set(held.map((claim) => claim.fence));
  const issued = rows.some((row) => fences.has(row.fence));
  const { dead, skipped } = judgeRefusals(refused, { issued, others: pass.waiting > 0 || held.length > 1 });
  if (dead.length > 0) pass.dead += await ports.claims.bury(id, epoch, dead);
  if (dead.length > 0) pass.refused = [...(pass.refused ?? []), ...dead.map(({ userId, reason }) => ({ userId, reason }))];
  const constraint = stopped?.status === 'guarded' ? stopped.constraint : null;
  if (constraint) await ports.coupons.markSuspect(id, epoch, constraint);
  const settled = new Set([...rows, ...dead].map((one) => one.userId));
  const left = held.filter((claim) => !settled.has(claim.userId));
  if (left.length > 0) pass.released = await ports.claims.release(id, epoch, left);
  if (constraint) return { ...pass, skipped: 'suspect', reason: constraint };
  if (!skipped) return pass;
  return { ...pass, skipped: skipped.status, reason: skipped.reason, ...(skipped.undecided ? { undecided: true as const } : {}) };
}

/** While the ledger takes no user, those who wait behind are tried as well, before any row is blamed. */
async function issueOrLookFurther(
  ports: DrainPorts,
  options: DrainOptions,
  { id, epoch }: LedgerCoupon,
  held: Claim[],
  pass: CouponPass,
): Promise<BatchResult> {
  const timeoutMs = ledgerLimitMs(options.leaseMs);
  const endMs = performance.now() + timeoutMs;
  const refused: BatchResult['refused'] = [];
  let batch: readonly Claim[] = held;
  for (let look = 1; ; look += 1) {
    const result = await issueBatch(ports.ledger, id, batch, { epoch, worker: options.worker, timeoutMs });
    refused.push(...result.refused);
    const fruitless = result.rows.length === 0 && !DECIDED.has(result.stopped?.status ?? '');
    if (!fruitless || pass.waiting === 0 || look === LOOKS || performance.now() > endMs) return { ...result, refused };
    const more = await ports.claims.claim(id, claimOf(options, epoch));
    if (more.status !== 'ok' || more.claims.length === 0) return { ...result, refused };
    held.push(...more.claims);
    pass.reclaimed += more.reclaimed;
    pass.dead += more.buried;
    pass.waiting = more.waiting;
    if (more.refused) pass.refused = [...(pass.refused ?? []), ...more.refused];
    if (more.timeless) pass.timeless = [...(pass.timeless ?? []), ...more.timeless];
    batch = more.claims;
  }
}

function claimOf({ batch: limit, leaseMs, worker, sliceMs = 0 }: DrainOptions, epoch: string): ClaimOptions {
  return { epoch, limit, leaseMs, worker, ...(sliceMs > 0 ? { holdMs: HOLD_MS } : {}) };
}

function verifyPorts({ coupons, ledger }: DrainPorts): VerifyPorts {
  return { verification: coupons, ledger };
}
