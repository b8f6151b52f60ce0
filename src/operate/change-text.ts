import { isoTime } from '../campaign/coupon.ts';
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
              .map(([name, value]) => `${name} ${String(value)}`)
              .join(', ')}`
          : change.kind === 'restock'
            ? `: ${number(coupon.total)} in all`
            : change.kind === 'extend'
              ? `: requests from ${isoTime(coupon.opensAt) || 'the beginning'} until ${isoTime(coupon.closesAt) || 'closed by hand'}`
              : '';
  return `${paint.green('✔')} coupon ${change.couponId}: ${DONE[change.kind] ?? change.kind}${now}${how}`;
}

export function logText(changes: readonly Change[], paint: Paint): Answer {
  return listOf(
    changes,
    [
      { head: 'WHEN', value: ({ begunAt }) => begunAt.toISOString(), rank: 1 },
      { head: 'COUPON', value: ({ couponId }) => couponId, narrow: 'wrap' },
      {
        head: 'CHANGE',
        narrow: 'wrap',
        value: ({ kind, details }) => [kind, ...Object.entries(details).map(([name, value]) => `${name} ${String(value)}`)].join(' '),
      },
      { head: 'BY', value: ({ byWhom }) => byWhom, narrow: 'wrap', rank: 2 },
      { head: 'REASON', value: ({ reason }) => reason ?? '', narrow: 'wrap', rank: 3 },
      { head: 'UNFINISHED', value: ({ finishedAt, opId }) => (finishedAt ? '' : opId), look: () => paint.yellow },
    ],
    paint,
    { empty: 'nothing was changed yet' },
  );
}
