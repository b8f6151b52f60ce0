import { randomUUID } from 'node:crypto';
import { parseCouponId } from '../../../campaign/ids.ts';
import { plural } from '../../../lib/text/figures.ts';
import { purgeCoupon } from '../../../operate/remove/purge.ts';
import type { Configure } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import { openWithRights } from '../../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli export summer --out summer.csv && coupon-cli purge summer --confirm=summer
  coupon-cli purge summer --dry-run                       what would be removed, and what speaks against it
  coupon-cli purge summer --confirm=summer --force        although no export has every issued coupon

Refused while the coupon is open, or users wait or are dead-lettered. Interrupted anywhere, the same command goes on where it was.
\`coupon-cli log summer\` still says what was removed, when and by whom.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--confirm <id>', 'the coupon id once more, instead of the question')
    .option('--force', 'although no export has every issued coupon')
    .option('--reason <text>', 'why, for the log')
    .option('-n, --dry-run', 'say what would be removed, change nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const couponId = parseCouponId(id);
        const { dryRun = false, force = false, reason = null } = flags;
        if (!dryRun) {
          const question = `Remove coupon ${couponId} and everything issued from it, in both stores, for good?`;
          await confirm(context, { given: flags.confirm, question, typed: couponId, flag: '--confirm' });
        }
        const { redis, ledger } = await openWithRights(context, { use: 'purge', couponIds: [couponId] });
        const { coupons, reader, keyStyle } = redis;
        const options = { byWhom: context.operator, reason, force, dryRun };
        const result = await purgeCoupon(couponId, options, { ledger, coupons, reader, keyStyle, newId: randomUUID });
        context.out.done(
          result,
          (paint) => {
            const what = `coupon ${couponId} and its ${plural(result.rows, 'issued coupon')}`;
            if (result.outcome === 'planned') return `${what} would be removed; nothing was changed`;
            const how = { done: '', finished: ' (an interrupted purge is finished)', unchanged: ' before; nothing was changed' };
            return `${paint.green('✔')} ${what} were removed${how[result.outcome]}`;
          },
          dryRun,
        );
      });
    });
};
