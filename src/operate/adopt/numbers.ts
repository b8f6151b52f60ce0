import { usageError, type CouponError } from '../../lib/errors.ts';
import { number } from '../../lib/text/figures.ts';

/** How many there are of everything. Users who wait and have a coupon as well count as issued. */
export interface Numbers {
  total: number;
  stock: number;
  waiting: number;
  issued: number;
}

/** Null: every coupon is in the stock, or with a user who waits or has one. */
export function numbersProblem({ total, stock, waiting, issued }: Numbers): CouponError | null {
  const accepted = waiting + issued;
  const sum = stock + accepted;
  const shown = `stock ${number(stock)} + waiting ${number(waiting)} + issued ${number(issued)} = ${number(sum)}, total ${number(total)}`;
  if (accepted > total) {
    const excess = accepted - total;
    return usageError(
      'TOO_MANY_USERS',
      `${number(accepted)} users wait or have a coupon, and there are ${number(total)}: ${shown}`,
      `Say ${option('total', accepted)} --stock 0 if all of them may have one; or take the ${number(excess)} who asked last out of the queue. A queue that is never emptied is a list of applicants: it cannot be taken over.`,
    );
  }
  if (sum === total) return null;
  const fixed = option('stock', total - accepted);
  return sum > total
    ? usageError(
        'NUMBERS_DO_NOT_ADD_UP',
        `the stock promises ${number(sum - total)} more than there are: ${shown}`,
        `If the service is still taking requests, stop it and run this again. If the stock is wrong, say ${fixed}; if the total is, say ${option('total', sum)}.`,
      )
    : usageError(
        'NUMBERS_DO_NOT_ADD_UP',
        `${number(total - sum)} are neither in the stock nor with a user: ${shown}`,
        `Their issued keys may have expired, and then these users have a coupon: say ${option('total', sum)}. If the stock has leaked, say ${fixed}.`,
      );
}

function option(name: 'total' | 'stock', value: number): string {
  return `--${name} ${value}`;
}
