import { randomUUID } from 'node:crypto';
import { parseCouponId, parseUserId } from '../../../campaign/ids.ts';
import { usageError } from '../../../lib/errors.ts';
import type { Paint } from '../../../lib/text/style.ts';
import { revokeCoupon, type RevokeResult } from '../../../operate/remove/revoke.ts';
import type { Configure } from '../../command.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../../output/time-zone.ts';
import { openWithRights } from '../../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli revoke summer user-17 --reason "paid with a stolen card"
  coupon-cli revoke summer user-17 --reason "order cancelled" --return-stock     the coupon can go to another user
  coupon-cli revoke summer user-17 --reason test --dry-run

The row stays, and the user cannot get another one. A use is refused from then on. Interrupted anywhere, the same command finishes it.
\`coupon-cli log\` shows who revoked what.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .argument('<user>', 'user id')
    .requiredOption('--reason <text>', 'why, for the ledger and the log')
    .option('--return-stock', 'put the coupon back into the stock; not possible once it was used')
    .option('-n, --dry-run', 'say what would be done, change nothing')
    .option(ZONE_FLAG, ZONE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (id, user, flags, self) => {
      await cli.run(self, async (context) => {
        const [couponId, userId] = [parseCouponId(id), parseUserId(user)];
        if (flags.reason.trim() === '') throw usageError('REVOKE_USAGE', '--reason is empty', 'Say why the coupon is taken back.');
        const { redis, ledger } = await openWithRights(context, { use: 'revoke', couponIds: [couponId] });
        const { coupons, claims, keyStyle } = redis;
        const { returnStock = false, dryRun = false, reason } = flags;
        const options = { reason, returnStock, dryRun, byWhom: context.operator };
        const result = await revokeCoupon(couponId, userId, options, { ledger, coupons, claims, keyStyle, newOpId: randomUUID });
        context.out.done(result, (paint) => revokeText(result, paint), dryRun);
      });
    });
};

function revokeText({ couponId, userId, revokedAt, returnStock, outcome }: RevokeResult, paint: Paint): string {
  const what = `coupon ${couponId} of ${userId}`;
  const stock = returnStock ? ', and put back into the stock' : '';
  if (outcome === 'planned') return `${what} would be revoked${stock}; nothing was changed`;
  if (outcome === 'unchanged')
    return `${paint.green('✔')} ${what} was revoked before, at ${revokedAt ? paint.time(revokedAt.toISOString()) : 'an unknown time'}; nothing was changed`;
  return `${paint.green('✔')} ${what} is revoked${stock}${outcome === 'finished' ? ' (an interrupted command is finished)' : ''}`;
}
