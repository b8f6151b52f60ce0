import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import { number } from '../lib/text/figures.ts';
import type { Paint } from '../lib/text/style.ts';
import { listOf, type Answer } from '../lib/text/table.ts';
import type { ChangeResult } from './change.ts';
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

export function changeText({ change, outcome }: ChangeResult, coupon: LedgerCoupon | null, paint: Paint): string {
  const how =
    outcome === 'planned'
      ? ' (it would be; nothing was changed)'
      : outcome === 'finished'
        ? ' (an interrupted change is finished)'
        : outcome === 'unchanged'
          ? ' (as it was before)'
          : '';
  const now =
    coupon === null
      ? ''
      : change.kind === 'rename'
        ? `: ${outcome === 'planned' ? String(change.details['name']) : coupon.name}`
        : outcome === 'planned'
          ? `: ${Object.entries(change.details)
              .map(([name, value]) => `${name} ${detailText(value, paint)}`)
              .join(', ')}`
          : change.kind === 'restock'
            ? `: ${number(coupon.total)} in all`
            : change.kind === 'extend'
              ? `: requests from ${whenText(coupon.opensAt, paint) ?? 'the beginning'} until ${whenText(coupon.closesAt, paint) ?? 'closed by hand'}`
              : '';
  return `${paint.green('✔')} coupon ${change.couponId}: ${DONE[change.kind] ?? change.kind}${now}${how}`;
}

function whenText(date: Date | null, paint: Paint): string | null {
  return date === null ? null : paint.time(date.toISOString());
}

/** Times stand in the log as ISO 8601. */
export function detailText(value: unknown, paint: Paint): string {
  const text = String(value);
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
          [kind, ...Object.entries(details).map(([name, value]) => `${name} ${detailText(value, paint)}`)].join(' '),
      },
      { head: 'BY', value: ({ byWhom }) => byWhom, narrow: 'wrap', rank: 2 },
      { head: 'REASON', value: ({ reason }) => reason ?? '', narrow: 'wrap', rank: 3 },
      { head: 'UNFINISHED', value: ({ finishedAt, opId }) => (finishedAt ? '' : opId), look: () => paint.yellow },
    ],
    paint,
    { empty: 'nothing was changed yet' },
  );
}
