import { printable } from '../lib/text/visible.ts';
import type { DeadAnswer, DeadList } from './dead.ts';
import type { DropOutcome, RetryOutcome } from './ports.ts';
import { DEAD_REASONS } from '../campaign/ids.ts';
import { command } from '../lib/text/suggested-command.ts';
import { number, plural } from '../lib/text/figures.ts';
import { pageText, timeText } from './inspect/coupons-text.ts';
import type { Paint } from '../lib/text/style.ts';
import { listOf, type Answer } from '../lib/text/table.ts';

/** Room for a member of 128 escaped bytes: a shortened one could not be named to `dead drop`. */
const ID_CHARS = 600;

export function deadText({ couponId, total, dead, next }: DeadList, paint: Paint): Answer {
  const hint = `${command`dead retry ${couponId} USER`} tries again, \`dead drop\` gives the coupon back to the stock.`;
  const goOn = next === null ? null : command`dead list ${couponId} --after ${next}`;
  return listOf(
    dead,
    [
      { head: 'USER', value: (row) => printable(row.userId, ID_CHARS), narrow: 'wrap' },
      { head: 'REASON', value: (row) => DEAD_REASONS[row.reason] ?? row.reason, narrow: 'wrap' },
      { head: 'REQUESTED AT', value: (row) => timeText(row.requestedAt, paint), rank: 3 },
      { head: 'DELIVERIES', value: (row) => row.deliveries, align: 'right', rank: 2 },
      { head: 'FAULTS', value: (row) => row.faults, align: 'right', rank: 1 },
    ],
    paint,
    {
      empty: total === 0 ? `no user of coupon ${couponId} is dead-lettered` : `no more users (${number(total)} dead-lettered in all)`,
      remarks: [hint, ...pageText(dead.length, total, goOn, paint)],
    },
  );
}

const WHY: Readonly<Record<Exclude<RetryOutcome | DropOutcome | 'issued', 'ok'>, string>> = {
  not_dead: 'is not dead-lettered',
  invalid: 'has an id that cannot be issued to, and would only be dead-lettered again',
  no_stock: 'was promised beyond the total, and there is still no coupon left',
  not_admitted: 'has no request on record; `coupon-cli audit --repair` makes one',
  no_stock_field: 'waits for a repair: the stock in Redis is missing',
  epoch: 'belongs to a life of the coupon that is over',
  issued: 'has a coupon after all and keeps it; `coupon-cli audit --repair` puts the record right',
};

/** @param happened to the users for whom it worked, such as `put back into the queue` */
export function deadAnswerText(
  { couponId, users, done }: DeadAnswer<RetryOutcome | DropOutcome | 'issued'>,
  happened: string,
  paint: Paint,
): string {
  if (users.length === 0) return `no user of coupon ${couponId} is dead-lettered`;
  const refused = users.flatMap(({ userId, outcome }) => (outcome === 'ok' ? [] : [`user ${printable(userId, ID_CHARS)} ${WHY[outcome]}`]));
  const mark = done > 0 ? paint.green('✔') : paint.yellow('–');
  return [`${mark} coupon ${couponId}: ${plural(done, 'user')} ${happened}`, ...refused].join('\n');
}
