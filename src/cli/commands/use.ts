import { randomUUID } from 'node:crypto';
import { useCoupon, type UseAnswer } from '../../operate/use.ts';
import { CouponError, usageError } from '../../lib/errors.ts';
import { parseCouponId, parseUserId } from '../../campaign/ids.ts';
import { keyStyleMismatch } from '../../campaign/known-coupon.ts';
import { command as suggested } from '../../lib/text/suggested-command.ts';
import type { Configure } from '../command.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../output/time-zone.ts';
import { openWithRights } from '../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli use summer user-17
  coupon-cli use summer user-17 --use-id order-4711   may be repeated: the same use id gets the same answer`;

export const configure: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .argument('<user>', 'user id')
    .option('--use-id <id>', 'id of this use, such as an order number; random unless given')
    .option(ZONE_FLAG, ZONE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (id, user, options, self) => {
      await cli.run(self, async (context) => {
        const couponId = parseCouponId(id);
        const userId = parseUserId(user);
        const useId = parseUseId(options.useId ?? randomUUID());
        const { redis, ledger } = await openWithRights(context, { use: 'use', couponIds: [couponId] });
        const { coupons: hashes, claims, keyStyle } = redis;
        const answer = await useCoupon({ ledger, hashes, claims, keyStyle }, couponId, userId, useId);
        if (answer.status === 'other_key_style') throw keyStyleMismatch(couponId, answer.keyStyle, keyStyle);
        if (answer.status !== 'used') throw refusal(answer, couponId, userId, (at) => context.out.notePaint.time(at.toISOString()));
        if (!answer.followed) {
          context.out.warn(
            `the ledger has the use, but Redis shows no issued coupon of ${userId}; ${suggested`audit ${couponId}`} says more`,
          );
        }
        const { usedAt, repeated } = answer;
        context.out.done({ couponId, userId, usedAt: usedAt.toISOString(), repeated }, (paint) =>
          repeated
            ? `${paint.green('✔')} coupon ${couponId} of ${userId} was used by this same use at ${paint.time(usedAt.toISOString())}`
            : `${paint.green('✔')} coupon ${couponId} of ${userId} is used now`,
        );
      });
    });
};

/** The rule of the endpoint's Idempotency-Key. */
function parseUseId(text: string): string {
  if (/^[!-~]{1,128}$/.test(text)) return text;
  throw usageError('BAD_USE_ID', '--use-id must be 1–128 visible ASCII characters', 'Use an order number, for example.');
}

const EXPIRED_FIX = 'It cannot be used any more. `coupon-cli extend ID --expires-at` gives coupons that are issued from now on more time.';
const REVOKED_FIX = '`coupon-cli log ID` shows who took it back, and why.';

function refusal(
  answer: Exclude<UseAnswer, { status: 'used' | 'other_key_style' }>,
  couponId: string,
  userId: string,
  time: (at: Date) => string,
): CouponError {
  switch (answer.status) {
    case 'not_issued':
      return usageError(
        'NOT_ISSUED',
        `no coupon ${couponId} was issued to ${userId}`,
        `${suggested`inspect user ${couponId} ${userId}`} shows where the request stands.`,
      );
    case 'already_used':
      return usageError(
        'ALREADY_USED',
        `coupon ${couponId} of ${userId} was used at ${time(answer.usedAt)}`,
        'If that was this same use, repeat it with the --use-id it had then.',
      );
    case 'expired':
      return usageError('EXPIRED', `coupon ${couponId} of ${userId} expired at ${time(answer.expiresAt)}`, EXPIRED_FIX);
    default:
      return usageError('REVOKED', `coupon ${couponId} of ${userId} was revoked at ${time(answer.revokedAt)}`, REVOKED_FIX);
  }
}
