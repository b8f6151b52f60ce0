import type { Claim } from '../campaign/coupon.ts';
import { CouponError } from '../lib/errors.ts';
import { isCouponFault, WrongTypeError, type WrongType } from '../campaign/wrong-type.ts';
import { issueBatch } from './issue-batch.ts';
import type { ClaimQueue, ClaimResult, CouponStore, Ledger, LedgerCoupon, Verification } from '../campaign/ports.ts';
import { isLedgerBehind, LEDGER_BEHIND, verifyAgainstLedger, type VerifyPorts } from '../campaign/verify-coupon.ts';

export interface DrainPorts {
  claims: ClaimQueue;
  coupons: Verification & Pick<CouponStore, 'scanQueues'>;
  ledger: Ledger;
}

export interface DrainOptions {
  /** Only these; empty: all that the ledger has. */
  couponIds: readonly string[];
  /** At most so many users per coupon and pass. */
  batch: number;
  leaseMs: number;
  worker: string;
  keyStyle: string;
  /** Also look for queues with SCAN, to name those that no ledger coupon stands behind. */
  scan: boolean;
}

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
   * Why the coupon was skipped; see SUSPECT_REASONS for `suspect`. `wrong_type`: a key holds another type; `refused`: Redis refused a
   * command on its keys; `serialised`: no coupon at all, but the key of a queue that a serializer spelled.
   */
  skipped?: 'gone' | 'epoch' | 'suspect' | 'key_style' | 'unfinished' | 'no_ledger' | 'wrong_type' | 'refused' | 'serialised';
  reason?: string;
}

/** One pass over all coupons, in turn, at most `batch` users each. Stops between two coupons once `stop` is aborted. */
export async function drainPass(ports: DrainPorts, options: DrainOptions, stop: AbortSignal): Promise<CouponPass[]> {
  const known = await ports.ledger.coupons();
  const wanted = options.couponIds.length > 0 ? known.filter((coupon) => options.couponIds.includes(coupon.id)) : known;
  const passes: CouponPass[] = [];
  for (const coupon of wanted) {
    if (stop.aborted) break;
    passes.push(await drainReadable(ports, options, coupon));
  }
  if (options.scan) {
    const ids = new Set(known.map((coupon) => coupon.id));
    const { couponIds, serialised } = await ports.coupons.scanQueues();
    for (const couponId of couponIds) if (!ids.has(couponId)) passes.push({ ...nothing(couponId), skipped: 'no_ledger' });
    for (const key of serialised) passes.push({ ...nothing(key), skipped: 'serialised' });
  }
  return passes;
}

/** What is wrong with the keys of one coupon keeps nobody from draining the others. */
async function drainReadable(ports: DrainPorts, options: DrainOptions, coupon: LedgerCoupon): Promise<CouponPass> {
  try {
    return await drainCoupon(ports, options, coupon);
  } catch (error) {
    if (!isCouponFault(error)) throw error;
    const isWrongType = error instanceof WrongTypeError;
    return {
      ...nothing(coupon.id),
      skipped: isWrongType ? 'wrong_type' : 'refused',
      reason: isWrongType ? error.message : (error.why ?? ''),
    };
  }
}

/** claim → ledger → ack; whoever the ledger refuses is set aside, and whoever it does not return goes back to the queue. */
async function drainCoupon(ports: DrainPorts, options: DrainOptions, coupon: LedgerCoupon): Promise<CouponPass> {
  const pass = nothing(coupon.id);
  if (coupon.keyStyle !== options.keyStyle) return { ...pass, skipped: 'key_style', reason: coupon.keyStyle };
  if (coupon.state !== 'ready') return { ...pass, skipped: 'unfinished', reason: coupon.state };
  const claimed = await claimVerified(ports, options, coupon);
  if (claimed.status !== 'ok') {
    const status = claimed.status === 'run' ? 'epoch' : claimed.status;
    return { ...pass, skipped: status, ...('reason' in claimed ? { reason: claimed.reason } : {}) };
  }
  pass.reclaimed = claimed.reclaimed;
  pass.dead = claimed.buried;
  pass.waiting = claimed.waiting;
  if (claimed.refused) pass.refused = claimed.refused;
  if (claimed.timeless) pass.timeless = claimed.timeless;
  try {
    if (await isLedgerBehind(verifyPorts(ports), coupon, claimed.acked)) {
      pass.released = await ports.claims.release(coupon.id, coupon.epoch, claimed.claims);
      return { ...pass, skipped: 'suspect', reason: LEDGER_BEHIND };
    }
    return claimed.claims.length === 0 ? pass : await issue(ports, options, coupon, claimed.claims, pass);
  } catch (error) {
    // Whether the ledger committed is unknown. Giving back is right either way: an issued user is only acknowledged again.
    await ports.claims.release(coupon.id, coupon.epoch, claimed.claims).catch(() => undefined);
    throw error;
  }
}

/** The ledger's part and what follows from it. */
async function issue(
  ports: DrainPorts,
  options: DrainOptions,
  { id, epoch }: LedgerCoupon,
  claims: readonly Claim[],
  before: CouponPass,
): Promise<CouponPass> {
  const pass = { ...before };
  // A third of the lease: time is left to acknowledge, or to give back, before anybody else may claim the same users.
  const timeoutMs = options.leaseMs / 3;
  const { rows, refused, stopped } = await issueBatch(ports.ledger, id, claims, { epoch, worker: options.worker, timeoutMs });
  if (stopped?.status === 'epoch') return { ...pass, skipped: 'epoch' };
  const occupied: WrongType[] = [];
  if (rows.length > 0 && !(await ports.claims.ack(id, epoch, rows, (wrong) => occupied.push(wrong)))) return { ...pass, skipped: 'epoch' };
  if (occupied.length > 0) pass.occupied = occupied;
  pass.issued = rows.length;
  if (refused.length > 0) pass.dead += await ports.claims.bury(id, epoch, refused);
  if (refused.length > 0) pass.refused = [...(pass.refused ?? []), ...refused.map(({ userId, reason }) => ({ userId, reason }))];
  if (stopped) await ports.coupons.markSuspect(id, epoch, stopped.constraint);
  const settled = new Set([...rows, ...refused].map((one) => one.userId));
  const left = claims.filter((claim) => !settled.has(claim.userId));
  if (left.length > 0) pass.released = await ports.claims.release(id, epoch, left);
  return stopped ? { ...pass, skipped: 'suspect', reason: stopped.constraint } : pass;
}

/** Claims; a Redis that was restarted since is first checked against the ledger. */
async function claimVerified(ports: DrainPorts, options: DrainOptions, coupon: LedgerCoupon): Promise<ClaimResult> {
  const request = { epoch: coupon.epoch, limit: options.batch, leaseMs: options.leaseMs, worker: options.worker };
  const first = await ports.claims.claim(coupon.id, request);
  if (first.status !== 'run' && first.status !== 'epoch') return first;
  const now = await ports.ledger.coupon(coupon.id);
  // Reset or purged since the pass began: the next pass sees its new life.
  if (now?.epoch !== coupon.epoch || now.state !== 'ready') return { status: 'epoch' };
  const verified = await verifyAgainstLedger(verifyPorts(ports), now);
  return verified.status === 'ok' ? ports.claims.claim(coupon.id, request) : verified;
}

function verifyPorts({ coupons, ledger }: DrainPorts): VerifyPorts {
  return { verification: coupons, ledger };
}

function nothing(couponId: string): CouponPass {
  return { couponId, issued: 0, reclaimed: 0, dead: 0, released: 0, waiting: 0 };
}

/** Nobody waiting and nobody claimed, by any worker, in any coupon that this drain serves. */
export async function isEmpty(ports: DrainPorts, passes: readonly CouponPass[]): Promise<boolean> {
  for (const pass of passes) {
    if (pass.skipped) continue;
    if ((await backlogOf(ports.claims, pass.couponId)) > 0) return false;
  }
  return true;
}

/** Waiting and claimed. A coupon whose keys cannot be read has none that could be served; its next pass says so. */
async function backlogOf(claims: ClaimQueue, couponId: string): Promise<number> {
  try {
    const { waiting, claimed } = await claims.backlog(couponId);
    return waiting + claimed;
  } catch (error) {
    if (isCouponFault(error)) return 0;
    throw error;
  }
}

export function isOutage(error: unknown): boolean {
  return error instanceof CouponError && error.kind === 'unreachable';
}
