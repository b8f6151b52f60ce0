import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import { durationFlag } from '../lib/duration.ts';
import { number } from '../lib/text/figures.ts';
import type { Paint } from '../lib/text/style.ts';
import { listOf, type Answer } from '../lib/text/table.ts';
import type { ChangeResult } from './change.ts';
import { settingDetails } from './change/request.ts';
import type { Change } from './ports.ts';

const DONE: Partial<Record<Change['kind'], string>> = {
  pause: 'paused: users are told "not open"; those who wait keep their places',
  resume: 'open again',
  close: 'closed',
  extend: 'changed',
  restock: 'restocked',
  rename: 'renamed',
  edit: 'edited',
};

/** @param coupon as it is now; null: it is gone */
export function changeText({ change, outcome }: ChangeResult, coupon: LedgerCoupon | null, paint: Paint): string {
  const what = `coupon ${change.couponId}`;
  if (outcome === 'planned')
    return `${what}: would be ${PLANNED[change.kind] ?? change.kind}${difference(change, coupon, paint)}; nothing was changed`;
  const how = { done: '', finished: ' (an interrupted change is finished)', unchanged: ' (as it was before)' }[outcome];
  return `${paint.green('✔')} ${what}: ${DONE[change.kind] ?? change.kind}${coupon ? outcomeOf(change, coupon, paint) : ''}${how}`;
}

const PLANNED: Partial<Record<Change['kind'], string>> = { ...DONE, pause: 'paused', resume: 'opened again', extend: 'rescheduled' };

function outcomeOf({ kind }: Change, coupon: LedgerCoupon, paint: Paint): string {
  if (kind === 'rename') return `: ${coupon.name}`;
  if (kind === 'restock') return `: ${number(coupon.total)} in all`;
  if (kind !== 'extend') return '';
  const until = coupon.closesAt ? whenText(coupon.closesAt, paint) : 'it is closed by hand';
  return `: open from ${coupon.opensAt ? whenText(coupon.opensAt, paint) : 'the start'} until ${until}`;
}

/** What a plan changes: "from → to". */
function difference({ kind, details }: Change, coupon: LedgerCoupon | null, paint: Paint): string {
  if (!coupon) return '';
  if (kind === 'restock') return `, ${number(coupon.total)} → ${number(coupon.total + Number(details['add']))} in all`;
  if (kind === 'rename') return `, ${coupon.name} → ${String(details['name'])}`;
  if (kind !== 'extend') return '';
  const before = settingDetails(coupon);
  const expiry = ['expiry', 'expiresAt', 'validForMs'].find((name) => before[name] !== undefined)!;
  return Object.entries(details)
    .map(([name, to]) => [name, before[name] ?? before[expiry]!, to] as const)
    .map(([name, from, to]) => `, ${SETTINGS[name] ?? name} ${detailText(from, paint, name)} → ${detailText(to, paint, name)}`)
    .join('');
}

const SETTINGS: Record<string, string> = { opensAt: 'opens', closesAt: 'closes', expiresAt: 'expires', validForMs: 'valid for' };

function whenText(date: Date, paint: Paint): string {
  return paint.time(date.toISOString());
}

/** Times stand in the log as ISO 8601. */
export function detailText(value: unknown, paint: Paint, name = ''): string {
  const text = String(value);
  if (name === 'validForMs' && typeof value === 'number') return durationFlag(value);
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? paint.time(text) : text;
}

export function logText(changes: readonly Change[], paint: Paint): Answer {
  return listOf(
    changes,
    [
      { head: 'WHEN', value: ({ begunAt }) => paint.time(begunAt.toISOString()), rank: 1 },
      { head: 'COUPON', value: ({ couponId }) => couponId, narrow: 'wrap' },
      {
        head: 'CHANGE',
        narrow: 'wrap',
        value: ({ kind, details }) =>
          [kind, ...Object.entries(details).map(([name, value]) => `${name} ${detailText(value, paint, name)}`)].join(' '),
      },
      { head: 'BY', value: ({ byWhom }) => byWhom, narrow: 'wrap', rank: 2 },
      { head: 'REASON', value: ({ reason }) => reason ?? '', narrow: 'wrap', rank: 3 },
      { head: 'UNFINISHED', value: ({ finishedAt, opId }) => (finishedAt ? '' : opId), look: () => paint.yellow },
    ],
    paint,
    { empty: 'nothing was changed yet' },
  );
}
