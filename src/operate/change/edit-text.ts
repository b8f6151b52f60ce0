import { plural } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';
import { detailText } from '../change-text.ts';
import type { CouponEdit } from './edit.ts';

/** What is, and what will be, field by field. */
export function editDiffText(edits: readonly CouponEdit[], paint: Paint): string {
  const rows = edits.flatMap(({ couponId, fields }) => fields.map((one) => ({ couponId, ...one })));
  const unfinished = edits.filter(({ outcome, fields }) => outcome === 'planned' && fields.length === 0);
  const finish = unfinished.map(({ couponId }) => `coupon ${couponId}: an interrupted edit would be finished`);
  if (rows.length === 0) return finish.join('\n') || 'the coupons are as the file says';
  const drawn = table(
    rows,
    [
      { head: 'COUPON', value: ({ couponId }) => couponId, narrow: 'wrap' },
      { head: 'FIELD', value: ({ field }) => field },
      { head: 'NOW', value: ({ now }) => detailText(now, paint), narrow: 'wrap', look: () => paint.red },
      { head: 'THEN', value: ({ becomes }) => detailText(becomes, paint), narrow: 'wrap', look: () => paint.green },
    ],
    paint,
  );
  return [drawn, ...finish].join('\n');
}

const DONE: Record<CouponEdit['outcome'], string> = {
  done: 'edited',
  finished: 'edited (an interrupted edit is finished)',
  unchanged: 'unchanged, it is as the file says',
  planned: 'would be edited',
};

export function editedText(edits: readonly CouponEdit[], paint: Paint): string {
  return edits
    .map(({ couponId, outcome, fields }) => {
      const what = fields.length === 0 || outcome === 'unchanged' ? '' : `: ${fields.map(({ field }) => field).join(', ')}`;
      return `${paint.green('✔')} coupon ${couponId}: ${DONE[outcome]}${what}`;
    })
    .join('\n');
}

/** For the question whether to go on. */
export function editQuestion(edits: readonly CouponEdit[]): string {
  return `Change ${plural(edits.filter(({ outcome }) => outcome === 'planned').length, 'coupon')} so, in both stores?`;
}
