import { checkDefinition, MAX_TOTAL, type CouponDefinition, type Expiry } from '../campaign/coupon.ts';
import { couponSuspect, knownCoupon } from '../campaign/known-coupon.ts';
import type { LedgerCoupon, LedgerReader } from '../campaign/ports/ledger.ts';
import { CouponError, usageError } from '../lib/errors.ts';
import { command } from '../lib/text/suggested-command.ts';
import { number } from '../lib/text/figures.ts';
import type { Change, ChangeDetails, ChangeLedger, ChangeStore } from './ports.ts';
import { changeBothStores } from './two-store-change.ts';

/** What an operator may change about a coupon that is set up. */
export type ChangeRequest =
  | { kind: 'pause' | 'resume' }
  | { kind: 'close'; force: boolean }
  | { kind: 'restock'; add: number }
  | { kind: 'extend'; opensAt?: Date; closesAt?: Date; expiry?: Expiry };

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
}

export interface ChangeResult {
  change: Change;
  /** `finished`: it was begun by an earlier command. `unchanged`: there was nothing to do. */
  outcome: 'done' | 'finished' | 'unchanged';
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
  const details = detailsOf(request);
  const known = await ledger.findChange(coupon, context.opId);
  if (known) checkSame(known, request.kind, details, context.opId);
  if (known?.finishedAt) return { change: known, outcome: 'unchanged' };
  if (!known) {
    const { state, suspect, waiting } = await coupons.saleOf(couponId);
    if (suspect !== '') throw couponSuspect(couponId, suspect);
    if (isSo(request, coupon, state)) return { change: nothingToDo(coupon, request.kind, details, context), outcome: 'unchanged' };
    checkPossible(couponId, request, { state, waiting });
  }
  const definition = changed(coupon, request);
  const change = await changeBothStores({
    begin: async () =>
      known ??
      (await ledger.beginChange(
        { ...context, opId: context.opId ?? newOpId(), kind: request.kind, details },
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

function detailsOf(request: ChangeRequest): ChangeDetails {
  switch (request.kind) {
    case 'restock':
      return { add: request.add };
    case 'close':
      return request.force ? { force: true } : {};
    case 'extend': {
      const { opensAt, closesAt, expiry } = request;
      return {
        ...(opensAt ? { opensAt: opensAt.toISOString() } : {}),
        ...(closesAt ? { closesAt: closesAt.toISOString() } : {}),
        ...(expiry?.kind === 'at' ? { expiresAt: expiry.at.toISOString() } : {}),
        ...(expiry?.kind === 'after' ? { validForMs: expiry.ms } : {}),
      };
    }
    default:
      return {};
  }
}

/** An interrupted change must be finished before another one, and a restock not be taken for another restock. */
function checkSame(known: Change, kind: string, details: object, opId: string | null): void {
  const same = known.kind === kind && canonical(known.details) === canonical(details);
  if (same && (opId === known.opId || (opId === null && kind !== 'restock'))) return;
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

function canonical(details: object): string {
  return JSON.stringify(Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The command that finishes a change. */
export function finishText({ kind, couponId, opId, details, reason }: Change): string {
  const text = (name: string): string => String(details[name] ?? '');
  switch (kind) {
    case 'restock':
      return command`restock ${couponId} --add ${text('add')} --op-id ${opId}`;
    case 'extend': {
      const known = ['opensAt', 'closesAt', 'expiresAt'].find((name) => details[name] !== undefined);
      return known === 'opensAt'
        ? command`extend ${couponId} --opens-at ${text('opensAt')} --op-id ${opId}`
        : known === 'closesAt'
          ? command`extend ${couponId} --closes-at ${text('closesAt')} --op-id ${opId}`
          : command`extend ${couponId} --expires-at ${text('expiresAt')} --op-id ${opId}`;
    }
    case 'close':
      return details['force'] === true ? command`close ${couponId} --force` : command`close ${couponId}`;
    case 'pause':
      return command`pause ${couponId}`;
    case 'revoke':
      return details['returnStock'] === true
        ? command`revoke ${couponId} ${text('user')} --reason ${reason ?? ''} --return-stock`
        : command`revoke ${couponId} ${text('user')} --reason ${reason ?? ''}`;
    case 'purge':
      return command`purge ${couponId} --confirm ${couponId}`;
    case 'adopt':
      return command`adopt ${couponId} --total ${text('total')}`;
    case 'forget':
      return command`forget ${text('user')} --confirm`;
    default:
      return command`resume ${couponId}`;
  }
}

function stateOf({ kind }: ChangeRequest): string | null {
  return { pause: 'paused', resume: 'open', close: 'closed' }[kind as string] ?? null;
}

function addOf(request: ChangeRequest): number {
  return request.kind === 'restock' ? request.add : 0;
}

/** Whether it is so already. */
function isSo(request: ChangeRequest, coupon: LedgerCoupon, state: string): boolean {
  if (request.kind === 'extend') return JSON.stringify(changed(coupon, request)) === JSON.stringify(definitionOf(coupon));
  return stateOf(request) === state;
}

function nothingToDo(coupon: LedgerCoupon, kind: Change['kind'], details: ChangeDetails, { byWhom, reason }: ChangeContext): Change {
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
      `${number(waiting)} accepted ${waiting === 1 ? 'user waits' : 'users wait'} for coupon ${couponId}`,
      `Drain first: ${command`drain ${couponId} --until-empty`}; or close it all the same with --force: they are issued afterwards.`,
    );
  }
}

function definitionOf({ id, name, total, opensAt, closesAt, expiry }: LedgerCoupon): CouponDefinition {
  return { id, name, total, opensAt, closesAt, expiry };
}

/** @throws CouponError of {@link checkDefinition} */
function changed(coupon: LedgerCoupon, request: ChangeRequest): CouponDefinition {
  const definition = definitionOf(coupon);
  if (request.kind !== 'extend') return definition;
  const { opensAt, closesAt, expiry } = request;
  return checkDefinition({
    ...definition,
    ...(opensAt ? { opensAt } : {}),
    ...(closesAt ? { closesAt } : {}),
    ...(expiry ? { expiry } : {}),
  });
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
