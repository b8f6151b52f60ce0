import { dropDead, listDead, retryDead, type DeadAnswer, type DeadPorts } from '../../operate/dead.ts';
import type { DropOutcome, RetryOutcome } from '../../operate/ports.ts';
import { usageError } from '../../lib/errors.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { deadAnswerText, deadText } from '../../operate/dead-text.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { Configure } from '../command.ts';
import { withTableFlags } from '../output/table-flags.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../output/time-zone.ts';
import { openWithRights } from '../rights.ts';

const EXAMPLES = `
Examples:
  coupon-cli dead list summer                  which users are dead-lettered, and why
  coupon-cli dead retry summer user-17         back into the queue, at the original place
  coupon-cli dead retry summer --all           once the cause is mended
  coupon-cli dead drop summer user-17          give up: the coupon goes back to the stock, the user may ask again

A user is dead-lettered when the ledger refuses that user's row for a fault of its own. The others are issued all the same; the coupon
stays spent until it is decided here.`;

export const configure: Configure = (command, cli) => {
  command.addHelpText('after', EXAMPLES);

  withTableFlags(command.command('list'))
    .summary('show which users are dead-lettered, and why')
    .description('Show the dead-lettered users of a coupon, by user id, with what the ledger said.')
    .argument('<id>', 'coupon id')
    .option('--limit <n>', 'rows to show, 1–10000', '50')
    .option('--after <user>', 'go on after this user, as "Showing …" says')
    .option(ZONE_FLAG, ZONE_ABOUT)
    .addHelpText('after', '\nExamples:\n  coupon-cli dead list summer\n  coupon-cli dead list summer --limit 1000 --json')
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const couponId = parseCouponId(id);
        const page = { limit: parseWhole(flags.limit, '--limit', 1, 10_000), after: flags.after ?? null };
        const { redis, ledger } = await openWithRights(context, { use: 'dead list', couponIds: [couponId] });
        const { reader, keyStyle } = redis;
        const list = await listDead({ reader, ledger, keyStyle }, couponId, page);
        context.out.data(list, (paint) => deadText(list, paint));
      });
    });

  command
    .command('retry')
    .summary('put users back into the queue')
    .description('Put users back into the queue, each at the original place. Exit code 2 if that was possible for none of those named.')
    .argument('<id>', 'coupon id')
    .argument('[user...]', 'users to try again')
    .option('--all', 'every dead-lettered user')
    .addHelpText('after', '\nExamples:\n  coupon-cli dead retry summer user-17 user-18\n  coupon-cli dead retry summer --all')
    .action(async (id, users, flags, self) => {
      const couponId = parseCouponId(id);
      const wanted = selectUsers(users, flags.all);
      await cli.run(self, (context) => decide(context, 'retry', couponId, (ports) => retryDead(ports, couponId, wanted)));
    });

  command
    .command('drop')
    .summary('give users up, and their coupons back to the stock')
    .description('Give users up: their coupons go back to the stock, and they may ask again. A user who has a coupon keeps it.')
    .argument('<id>', 'coupon id')
    .argument('[user...]', 'users to give up')
    .option('--all', 'every dead-lettered user; asks first')
    .option('--confirm <id>', 'the coupon id once more, instead of the question of --all')
    .addHelpText('after', '\nExamples:\n  coupon-cli dead drop summer user-17\n  coupon-cli dead drop summer --all --confirm=summer')
    .action(async (id, users, flags, self) => {
      const couponId = parseCouponId(id);
      const wanted = selectUsers(users, flags.all);
      await cli.run(self, async (context) => {
        const question = `Give up every dead-lettered user of coupon ${couponId}?`;
        if (wanted === null) await confirm(context, { given: flags.confirm, question, typed: couponId, flag: '--confirm' });
        return decide(context, 'drop', couponId, (ports) => dropDead(ports, couponId, wanted));
      });
    });
};

/** Null: everyone. Ids are taken as they are: one that breaks the rule for user ids may have been dead-lettered for that. */
function selectUsers(users: readonly string[], all: true | undefined): readonly string[] | null {
  if (users.length > 0 !== (all === true)) return all ? null : users;
  throw usageError('DEAD_USAGE', 'either users or --all is needed', 'Name the users, or write --all.');
}

const HAPPENED = { retry: 'put back into the queue', drop: 'dropped' };

async function decide(
  context: Context,
  kind: keyof typeof HAPPENED,
  couponId: string,
  work: (ports: DeadPorts) => Promise<DeadAnswer<RetryOutcome | DropOutcome | 'issued'>>,
): Promise<number> {
  const { redis, ledger } = await openWithRights(context, { use: `dead ${kind}`, couponIds: [couponId] });
  const { dead, reader, keyStyle } = redis;
  const answer = await work({ dead, reader, ledger, keyStyle });
  context.out.done(answer, (paint) => deadAnswerText(answer, HAPPENED[kind], paint));
  return answer.users.length > 0 && answer.done === 0 ? EXIT.usage : EXIT.ok;
}
