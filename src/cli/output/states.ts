/** `--state`: which coupons a list shows. */
import { SALE_STATES, TROUBLE_STATES } from '../../campaign/sale-state.ts';
import { usageError } from '../../lib/errors.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { printable } from '../../lib/text/visible.ts';

export const STATE_FLAG = '--state <states>';
export const STATE_ABOUT = 'only coupons in these states, such as open,paused or sold_out';
/** Everything that may stand in the column. */
export const STATES: readonly string[] = [...SALE_STATES, ...TROUBLE_STATES];

/**
 * @returns empty: all
 * @throws CouponError `BAD_STATE`
 */
export function statesOf({ state = '' }: { state?: string | undefined }): string[] {
  const words = state.split(/[\s,]+/).filter((word) => word !== '');
  return words.map((word) => {
    const name = word.toLowerCase().replaceAll('-', '_');
    if (STATES.includes(name)) return name;
    throw usageError(
      'BAD_STATE',
      `--state: there is no state "${printable(word)}"${suggestion(name, STATES)}`,
      `Use ${STATES.join(', ')}.`,
    );
  });
}
