import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';
import type { ForgetResult, ForgottenIn } from './forget.ts';

const OUTCOMES: Record<ForgottenIn['outcome'], string> = {
  found: 'would be replaced by a tombstone',
  done: 'replaced by a tombstone',
  finished: 'replaced by a tombstone (an interrupted command is finished)',
};

/** The id is not repeated: output is kept longer than it should be. */
export function forgetText({ dryRun, coupons }: ForgetResult, paint: Paint): string {
  if (coupons.length === 0) return 'no coupon knows this user';
  const list = table(
    coupons,
    [
      { head: 'COUPON', value: ({ couponId }) => couponId, narrow: 'wrap' },
      { head: 'PLACE', value: ({ place }) => place },
      { head: 'OUTCOME', value: ({ outcome }) => OUTCOMES[outcome], narrow: 'wrap' },
    ],
    paint,
  );
  return dryRun ? `${list}\n\nnothing was changed` : `${list}\n\n${paint.green('✔')} forgotten in both stores and in the log`;
}
