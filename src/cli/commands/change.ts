/** The commands that change a coupon after it was seeded: pause, resume, close, extend and restock. */
import { randomUUID } from 'node:crypto';
import { parseDuration } from '../../lib/duration.ts';
import { usageError } from '../../lib/errors.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { MAX_TOTAL } from '../../campaign/coupon.ts';
import { parseInstant } from '../../campaign/time.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { changeCoupon, checkRestock } from '../../operate/change.ts';
import { newWindowWarnings } from '../../campaign/window-warnings.ts';
import { changed, type ChangeRequest } from '../../operate/change/request.ts';
import { changeText } from '../../operate/change-text.ts';
import type { Cli, Configure } from '../command.ts';
import type { Context } from '../context.ts';
import { openWithRights } from '../rights.ts';

const OP_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

interface CommonFlags {
  reason?: string | undefined;
  opId?: string | undefined;
  dryRun?: boolean | undefined;
}

const DRY_RUN = '-n, --dry-run';
const DRY_RUN_ABOUT = 'say what would be done, change nothing';

const examples = (text: string): string =>
  `\nExamples:\n${text}\n\nInterrupted anywhere, the same command finishes it. \`coupon-cli log\` shows who changed what.`;

export const configurePause: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText(
      'after',
      examples('  coupon-cli pause summer --reason "price is wrong"    users are told "not open"; all keep their places'),
    )
    .action(async (id, flags, self) => await run(cli, self, id, flags, async () => ({ kind: 'pause' })));
};

export const configureResume: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText('after', examples('  coupon-cli resume summer'))
    .action(async (id, flags, self) => await run(cli, self, id, flags, async () => ({ kind: 'resume' })));
};

export const configureClose: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--force', 'although accepted users still wait; they are issued afterwards')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText(
      'after',
      examples('  coupon-cli close summer            refused while accepted users wait\n  coupon-cli close summer --force'),
    )
    .action(async (id, flags, self) => await run(cli, self, id, flags, async () => ({ kind: 'close', force: flags.force === true })));
};

export const configureRestock: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .requiredOption('--add <n>', 'how many more there are')
    .option('--op-id <id>', 'of a restock that was interrupted, or one of your own, so that it counts once')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText(
      'after',
      examples(
        '  coupon-cli restock summer --add 500\n  coupon-cli restock summer --add 500 --op-id 7d5c…    finishes an interrupted one, and never adds twice',
      ),
    )
    .action(
      async (id, flags, self) =>
        await run(cli, self, id, flags, async () => ({ kind: 'restock', add: parseWhole(flags.add, '--add', 1, MAX_TOTAL) })),
    );
};

export const configureExtend: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--opens-at <time>', 'another first instant at which requests are taken')
    .option('--closes-at <time>', 'another first instant at which they no longer are')
    .option('--expires-at <time>', 'when coupons that are issued from now on stop being usable')
    .option('--valid-for <duration>', 'or how long they are usable after issue')
    .option('--time-zone <zone>', 'in which times without a zone are meant, such as Asia/Seoul (COUPON_TIME_ZONE)')
    .option('--op-id <id>', 'of a change that was interrupted')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText(
      'after',
      examples(
        '  coupon-cli extend summer --closes-at 2026-12-31T23:59:59+09:00\n  coupon-cli extend summer --closes-at "in 2h" --reason "demand"',
      ),
    )
    .action(
      async (id, flags, self) =>
        await run(cli, self, id, flags, async (context) => {
          const instant = (text: string, name: string): Date => parseInstant(text, { name, zone: context.zone });
          const { opensAt, closesAt, expiresAt, validFor } = flags;
          if (expiresAt !== undefined && validFor !== undefined)
            throw usageError('EXTEND_USAGE', '--expires-at and --valid-for exclude each other', 'Give one of them.');
          const request: ChangeRequest = {
            kind: 'extend',
            ...(opensAt === undefined ? {} : { opensAt: instant(opensAt, '--opens-at') }),
            ...(closesAt === undefined ? {} : { closesAt: instant(closesAt, '--closes-at') }),
            ...(expiresAt === undefined ? {} : { expiry: { kind: 'at', at: instant(expiresAt, '--expires-at') } }),
            ...(validFor === undefined ? {} : { expiry: { kind: 'after', ms: parseDuration(validFor, '--valid-for') } }),
          };
          if (Object.keys(request).length === 1)
            throw usageError('EXTEND_USAGE', 'nothing is to be changed', 'Give --opens-at, --closes-at, --expires-at or --valid-for.');
          return request;
        }),
    );
};

export const configureRename: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .requiredOption('--name <text>', 'what users see from now on')
    .option('--reason <text>', 'why, for the log')
    .option(DRY_RUN, DRY_RUN_ABOUT)
    .addHelpText('after', examples('  coupon-cli rename summer --name "여름맞이 쿠폰"'))
    .action(async (id, flags, self) => await run(cli, self, id, flags, async () => ({ kind: 'rename', name: flags.name })));
};

async function run(
  cli: Cli,
  self: { optsWithGlobals(): object },
  id: string,
  flags: CommonFlags,
  toRequest: (context: Context) => Promise<ChangeRequest>,
): Promise<void> {
  await cli.run(self, async (context) => {
    const couponId = parseCouponId(id);
    const request = await toRequest(context);
    if (flags.opId !== undefined && !OP_ID.test(flags.opId))
      throw usageError('BAD_OP_ID', `--op-id: "${flags.opId}" is no UUID`, 'Take it from `coupon-cli log`, or make one with uuidgen.');
    const { redis, ledger } = await openWithRights(context, { use: request.kind, couponIds: [couponId] });
    const { coupons, keyStyle } = redis;
    const before = await ledger.coupon(couponId);
    if (before && request.kind === 'restock') checkRestock(before, request.add);
    const odd = before && request.kind === 'extend' ? newWindowWarnings(before, changed(before, request), new Date()) : [];
    const by = {
      byWhom: context.operator,
      reason: flags.reason ?? null,
      opId: flags.opId?.toLowerCase() ?? null,
      dryRun: flags.dryRun === true,
    };
    const result = await changeCoupon(couponId, request, by, { ledger, coupons, keyStyle, newOpId: randomUUID });
    for (const warning of odd) context.out.warn(warning);
    const after = await ledger.coupon(couponId);
    context.out.done({ ...result, total: after?.total ?? null }, (paint) => changeText(result, after, paint), by.dryRun);
  });
}
