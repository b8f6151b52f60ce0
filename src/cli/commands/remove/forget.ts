import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../lib/clock.ts';
import { usageError } from '../../../lib/errors.ts';
import { printable } from '../../../lib/text/visible.ts';
import { forgetText } from '../../../operate/remove/forget-text.ts';
import { forgetUser } from '../../../operate/remove/forget.ts';
import { WIDE, WIDE_ABOUT } from '../../output/table-flags.ts';
import type { Configure } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import { openWithRights } from '../../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli forget user-17 --dry-run      in which coupons the user is known
  coupon-cli forget user-17 --confirm      replace the id by a random tombstone, in both stores and in the log

Sums, order and states stay; a user who waits is issued under the tombstone. Nothing leads back to the user, so it cannot be undone, and
the same id may ask for a coupon again. Interrupted anywhere, the same command finishes it. Backups, files of exports and logs of other
programs are not touched.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('<user>', 'user id')
    .option('-n, --dry-run', 'say where the user is known, change nothing')
    .option('--confirm', 'do it without a question; it cannot be undone')
    .option(WIDE, WIDE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (user, flags, self) => {
      await cli.run(self, async (context) => {
        const { dryRun = false } = flags;
        if (user === '') throw usageError('FORGET_USAGE', 'the user id is empty', 'Name the user.');
        if (!dryRun) {
          const question = `Replace user ${printable(user)} by a tombstone, in every coupon and for good?`;
          await confirm(context, { given: flags.confirm, question, flag: '--confirm' });
        }
        const { redis, ledger } = await openWithRights(context, { use: 'forget', couponIds: [] });
        const { redisForget } = await import('../../../stores/redis/forget.ts');
        const result = await forgetUser(
          user,
          { dryRun, byWhom: context.operator },
          {
            ledger,
            redisOf: (style) => redisForget(redis.connection, style === 'hash-tag' ? style : 'plain'),
            clock: systemClock,
            newOpId: randomUUID,
            newTombstone: () => `forgotten-${randomUUID()}`,
          },
        );
        context.out.done(result, (paint) => forgetText(result, paint), dryRun);
      });
    });
};
