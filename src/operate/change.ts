import { MAX_TOTAL } from '../campaign/coupon.ts';
import { couponSuspect, knownCoupon } from '../campaign/known-coupon.ts';
import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { command } from '../lib/text/suggested-command.ts';
import { number, plural } from '../lib/text/figures.ts';
import { addOf, changed, definitionOf, detailsOf, finishText, isSameRequest, isSo, stateOf, type ChangeRequest } from './change/request.ts';
import type { Change, ChangeDetails, ChangeLedger, ChangeStore } from './ports.ts';
import { changeBothStores } from './two-store-change.ts';

export interface ChangePorts {
  ledger: Pick<LedgerReader, 'coupon'> & ChangeLedger;
  coupons: ChangeStore;
  keyStyle: string;
  newOpId: () => string;
}

export interface ChangeContext {
  byWhom: string;
  reason: string | null;
  /** Of a change that was interrupted, or chosen by the caller; null: a new one. */
  opId: string | null;
  /** Nothing is changed. */
  dryRun?: boolean;
}

export interface ChangeResult {
  change: Change;
  /** `finished`: it was begun by an earlier command. `unchanged`: there was nothing to do. `planned`: it would be done. */
  outcome: 'done' | 'finished' | 'unchanged' | 'planned';
}

/**
 * Changes a coupon in both stores: the ledger first, under an operation id, then Redis in one script that is guarded by the version, then
 * the ledger again. Interrupted anywhere, the same command finishes it; a restock, which would add twice, takes its `--op-id`.
 *
 * @throws CouponError `COUPON_UNKNOWN`, `CHANGE_UNFINISHED`, `CHANGE_REFUSED`, `COUPON_SUSPECT`, `USERS_WAITING`
 */
export async function changeCoupon(
  couponId: string,
  request: ChangeRequest,
  context: ChangeContext,
  ports: ChangePorts,
): Promise<ChangeResult> {
  const { ledger, coupons, keyStyle, newOpId } = ports;
  const coupon = await knownCoupon(ledger, couponId, keyStyle);
  const details = detailsOf(request, coupon);
  const known = await ledger.findChange(coupon, context.opId);
  if (known) checkSame(known, isSameRequest(known, request, coupon), request.kind, context.opId);
  if (known?.finishedAt) return { change: known, outcome: 'unchanged' };
  if (!known) {
    const { state, suspect, waiting } = await coupons.saleOf(couponId);
    if (suspect !== '') throw couponSuspect(couponId, suspect);
    if (isSo(request, coupon, state)) return { change: unwritten(coupon, request.kind, details, context), outcome: 'unchanged' };
    checkPossible(couponId, request, { state, waiting });
  }
  // What was begun before stands in the ledger.
  const definition = known ? definitionOf(coupon) : changed(coupon, request);
  const { dryRun, byWhom, reason } = context;
  if (dryRun) return { change: known ?? unwritten(coupon, request.kind, details, context), outcome: 'planned' };
  const change = await changeBothStores({
    begin: async () =>
      known ??
      (await ledger.beginChange(
        { byWhom, reason, opId: context.opId ?? newOpId(), kind: request.kind, details },
        coupon,
        definition,
        addOf(request),
      )),
    inRedis: async ({ version }) => {
      // The ledger has the new total of a change that was begun before.
      const total = known ? definition.total : definition.total + addOf(request);
      const numbers = { add: addOf(request), givenBack: coupon.returnedQuantity, back: 0 };
      const status = await coupons.change({ ...definition, total }, { epoch: coupon.epoch, version, ...numbers, state: stateOf(request) });
      if (status !== 'ok' && status !== 'done') throw notFollowed(couponId, status);
    },
    finish: async (begun) => {
      await ledger.finishChange(begun.opId);
      return begun;
    },
  });
  return { change, outcome: known ? 'finished' : 'done' };
}

/** An interrupted change must be finished before another one, and a restock not be taken for another restock. */
function checkSame(known: Change, isSame: boolean, kind: string, opId: string | null): void {
  if (isSame && (opId === known.opId || (opId === null && kind !== 'restock'))) return;
  if (opId === known.opId) {
    throw usageError(
      'CHANGE_REFUSED',
      `the change ${opId} was another one: ${known.kind} ${JSON.stringify(known.details)}`,
      'Leave --op-id out for a new change.',
    );
  }
  throw usageError(
    'CHANGE_UNFINISHED',
    `a change of coupon ${known.couponId} was begun and not finished: ${known.kind} ${JSON.stringify(known.details)} by ${known.byWhom}`,
    `Run it again with its id: ${finishText(known)}.`,
  );
}

function unwritten(coupon: LedgerCoupon, kind: Change['kind'], details: ChangeDetails, { byWhom, reason }: ChangeContext): Change {
  const now = new Date();
  return { opId: '', couponId: coupon.id, kind, details, version: coupon.version, byWhom, reason, begunAt: now, finishedAt: now };
}

function checkPossible(couponId: string, request: ChangeRequest, { state, waiting }: { state: string; waiting: number }): void {
  if (request.kind === 'resume' && state !== 'paused')
    throw usageError(
      'CHANGE_REFUSED',
      `coupon ${couponId} is ${state}, not paused`,
      'Only a paused coupon can be resumed; a closed one stays closed.',
    );
  if (request.kind === 'pause' && state !== 'open')
    throw usageError('CHANGE_REFUSED', `coupon ${couponId} is ${state}, not open`, 'Only an open coupon can be paused.');
  if (request.kind === 'close' && waiting > 0 && !request.force) {
    throw usageError(
      'USERS_WAITING',
      `${plural(waiting, 'accepted user waits', 'accepted users wait')} for coupon ${couponId}`,
      `Drain first: ${command`drain ${couponId} --until-empty`}; or close it all the same with --force: they are issued afterwards.`,
    );
  }
}

/** @throws CouponError `BAD_TOTAL` */
export function checkRestock(coupon: LedgerCoupon, add: number): void {
  if (coupon.total + add > MAX_TOTAL)
    throw usageError(
      'BAD_TOTAL',
      `coupon ${coupon.id} would have ${number(coupon.total + add)} in all`,
      `At most ${number(MAX_TOTAL)} are possible.`,
    );
}

/** Another change of the coupon was interrupted: that one first. */
export function changeUnfinished(change: Change): CouponError {
  return usageError(
    'CHANGE_UNFINISHED',
    `a change of coupon ${change.couponId} was begun and not finished: ${change.kind} by ${change.byWhom}`,
    `Finish it first: ${finishText(change)}.`,
  );
}

export function notFollowed(couponId: string, status: string): CouponError {
  return new CouponError({
    code: 'CHANGE_REFUSED',
    kind: 'broken',
    message: `Redis did not follow the change of coupon ${couponId}: ${STATUS_WORDS[status] ?? status}`,
    fix: `The ledger has it, unfinished. ${command`audit ${couponId} --repair --dry-run`} says what would mend the coupon; then run the same command again.`,
  });
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  gone: 'it does not know the coupon',
  epoch: 'it holds another life of it',
  version: 'it misses an earlier change',
  suspect: 'it is out of service',
};
