import { checkDefinition, type CouponDefinition, type Expiry } from '../../campaign/coupon.ts';
import type { LedgerCoupon } from '../../campaign/ports/ledger.ts';
import { command, commandOf } from '../../lib/text/suggested-command.ts';
import type { Change, ChangeDetails } from '../ports.ts';

/** Everything about a coupon that may be edited. */
export type Settings = Pick<CouponDefinition, 'name' | 'opensAt' | 'closesAt' | 'expiry'>;

/** What an operator may change about a coupon that is set up. */
export type ChangeRequest =
  | { kind: 'pause' | 'resume' }
  | { kind: 'close'; force: boolean }
  | { kind: 'restock'; add: number }
  | { kind: 'extend'; opensAt?: Date; closesAt?: Date; expiry?: Expiry }
  | { kind: 'rename'; name: string }
  | { kind: 'edit'; settings: Settings };

/** What the log says of a request. Of an edit, what differs from the coupon as it is. */
export function detailsOf(request: ChangeRequest, coupon: CouponDefinition): ChangeDetails {
  switch (request.kind) {
    case 'restock':
      return { add: request.add };
    case 'close':
      return request.force ? { force: true } : {};
    case 'rename':
      return { name: checkDefinition({ ...coupon, name: request.name }).name };
    case 'edit': {
      const [before, wanted] = [settingDetails(coupon), settingDetails(request.settings)];
      const fields = Object.keys(wanted).filter((field) => before[field] !== wanted[field]);
      return Object.fromEntries(fields.map((field) => [field, wanted[field]!]));
    }
    case 'extend': {
      const { opensAt, closesAt, expiry } = request;
      return {
        ...(opensAt ? { opensAt: opensAt.toISOString() } : {}),
        ...(closesAt ? { closesAt: closesAt.toISOString() } : {}),
        ...(expiry ? expiryDetails(expiry) : {}),
      };
    }
    default:
      return {};
  }
}

export function settingDetails({ name, opensAt, closesAt, expiry }: Settings): ChangeDetails {
  const time = (date: Date | null): string => date?.toISOString() ?? 'none';
  return { name, opensAt: time(opensAt), closesAt: time(closesAt), ...expiryDetails(expiry) };
}

function expiryDetails(expiry: Expiry): ChangeDetails {
  if (expiry.kind === 'never') return { expiry: 'never' };
  return expiry.kind === 'at' ? { expiresAt: expiry.at.toISOString() } : { validForMs: expiry.ms };
}

/** Whether a change that was begun is the one that is asked for. The ledger has what an edit has begun, so that only the rest differs. */
export function isSameRequest(known: Change, request: ChangeRequest, coupon: CouponDefinition): boolean {
  if (known.kind !== request.kind) return false;
  if (request.kind !== 'edit') return canonical(known.details) === canonical(detailsOf(request, coupon));
  const wanted = settingDetails(request.settings);
  return Object.entries(known.details).every(([field, value]) => wanted[field] === value);
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
    case 'extend':
      return commandOf(['extend', couponId, ...extendFlags(details), '--op-id', opId]);
    case 'rename':
      return command`rename ${couponId} --name ${text('name')}`;
    case 'edit':
      return `${command`edit ${couponId} --file FILE --confirm`} with the same file`;
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

function extendFlags({ opensAt, closesAt, expiresAt, validForMs }: ChangeDetails): string[] {
  const given = { '--opens-at': opensAt, '--closes-at': closesAt, '--expires-at': expiresAt };
  const flags = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
  return validForMs === undefined ? flags : [...flags, '--valid-for', `${String(validForMs)}ms`];
}

/** The state that Redis gets; null: it stays as it is. */
export function stateOf({ kind }: ChangeRequest): string | null {
  return { pause: 'paused', resume: 'open', close: 'closed' }[kind as string] ?? null;
}

export function addOf(request: ChangeRequest): number {
  return request.kind === 'restock' ? request.add : 0;
}

/** Whether it is so already. */
export function isSo(request: ChangeRequest, coupon: LedgerCoupon, state: string): boolean {
  const wanted = stateOf(request);
  if (wanted !== null) return wanted === state;
  return request.kind !== 'restock' && JSON.stringify(changed(coupon, request)) === JSON.stringify(definitionOf(coupon));
}

export function definitionOf({ id, name, total, opensAt, closesAt, expiry }: LedgerCoupon): CouponDefinition {
  return { id, name, total, opensAt, closesAt, expiry };
}

/**
 * The coupon as it is once its settings are changed; a restock raises the total elsewhere.
 *
 * @throws CouponError of {@link checkDefinition}
 */
export function changed(coupon: LedgerCoupon, request: ChangeRequest): CouponDefinition {
  const definition = definitionOf(coupon);
  if (request.kind === 'rename') return checkDefinition({ ...definition, name: request.name });
  if (request.kind === 'edit') return checkDefinition({ ...definition, ...request.settings });
  if (request.kind !== 'extend') return definition;
  const { opensAt, closesAt, expiry } = request;
  return checkDefinition({
    ...definition,
    ...(opensAt ? { opensAt } : {}),
    ...(closesAt ? { closesAt } : {}),
    ...(expiry ? { expiry } : {}),
  });
}
