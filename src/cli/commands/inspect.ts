import { printable } from '../../lib/text/visible.ts';
import type { Command } from '@commander-js/extra-typings';
import { inspectCoupon, inspectCoupons, type InspectPorts, type PageOptions } from '../../operate/inspect/coupons.ts';
import { inspectIssued, inspectQueue, inspectUser } from '../../operate/inspect/users.ts';
import { usageError, type CouponError } from '../../lib/errors.ts';
import { parseCouponId, parseUserId } from '../../campaign/ids.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { command as suggested } from '../../lib/text/suggested-command.ts';
import { couponsText, couponText } from '../../operate/inspect/coupons-text.ts';
import { issuedText, queueText, userText } from '../../operate/inspect/users-text.ts';
import type { Paint } from '../../lib/text/style.ts';
import type { Answer } from '../../lib/text/table.ts';
import type { Cli, Configure } from '../command.ts';
import { STATE_ABOUT, STATE_FLAG, statesOf } from '../output/states.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../output/time-zone.ts';
import { withTableFlags } from '../output/table-flags.ts';
import { openWithRights } from '../rights.ts';
import { watch, type WatchFlags } from '../output/watch.ts';

interface InspectFlags extends WatchFlags {
  limit?: string | undefined;
  after?: string | undefined;
  state?: string | undefined;
}

const EXAMPLES = `
Examples:
  coupon-cli inspect                          every coupon at a glance
  coupon-cli inspect --state open,paused      those alone
  coupon-cli inspect --watch                  again every 2 s, until a signal
  coupon-cli inspect coupon summer            one coupon, from both stores
  coupon-cli inspect queue summer --limit 10  who is next
  coupon-cli inspect issued summer            who has one
  coupon-cli inspect user summer user-17      where one user stands
  coupon-cli inspect --json | jq '.coupons[] | select(.waiting > 0)'`;

export const configure: Configure = (command, cli) => {
  // These options are the parent's alone: commander recognizes them after a subcommand's name, too.
  withTableFlags(command)
    .option('--limit <n>', 'rows to show, 1–10000 (default 50)')
    .option('--after <id>', 'go on after this coupon or user, as "Showing …" says')
    .option(STATE_FLAG, STATE_ABOUT)
    .option(ZONE_FLAG, ZONE_ABOUT)
    .option('--watch', 'show again and again until a signal; one JSON object a line with --json')
    .option('--interval <duration>', 'time between two looks of --watch (default 2s)')
    .addHelpText('after', EXAMPLES)
    // Without this, commander says "too many arguments" to a mistyped subcommand.
    .allowExcessArguments()
    .action(async (_options, self) => {
      if (self.args[0] !== undefined) throw unknownForm(self.args[0]);
      const states = statesOf(self.optsWithGlobals());
      await show(
        cli,
        self,
        (ports, page) => inspectCoupons(ports, page, states),
        (list, paint) => couponsText(list, paint, states),
      );
    });

  sub(
    command,
    'coupon',
    'one coupon, from both stores',
    'coupon-cli inspect coupon summer\n  coupon-cli inspect coupon summer --watch --interval 5s',
  )
    .argument('<id>', 'coupon id')
    .action(async (id, _options, self) => {
      const couponId = parseCouponId(id);
      await show(cli, self, (ports) => inspectCoupon(ports, couponId), couponText);
    });

  sub(
    command,
    'queue',
    'who waits, oldest first',
    'coupon-cli inspect queue summer --limit 10\n  coupon-cli inspect queue summer --after user-50',
  )
    .argument('<id>', 'coupon id')
    .action(async (id, _options, self) => {
      const couponId = parseCouponId(id);
      await show(cli, self, (ports, page) => inspectQueue(ports, couponId, page), queueText);
    });

  sub(
    command,
    'issued',
    'who has one, by user id',
    'coupon-cli inspect issued summer\n  coupon-cli inspect issued summer --limit 1000 --json',
  )
    .argument('<id>', 'coupon id')
    .action(async (id, _options, self) => {
      const couponId = parseCouponId(id);
      await show(cli, self, (ports, page) => inspectIssued(ports, couponId, page), issuedText);
    });

  sub(
    command,
    'user',
    'every place where one user stands',
    'coupon-cli inspect user summer user-17\n  coupon-cli inspect user summer user-17 --json',
  )
    .argument('<id>', 'coupon id')
    .argument('<user>', 'user id')
    .addHelpText(
      'after',
      '\nA user who never asked, or was refused, is an answer like any other: exit code 0, and place is null with --json.',
    )
    .action(async (id, user, _options, self) => {
      const [couponId, userId] = [parseCouponId(id), parseUserId(user)];
      await show(cli, self, (ports) => inspectUser(ports, couponId, userId), userText);
    });
};

const FORMS = ['coupon', 'queue', 'issued', 'user'];

function unknownForm(written: string): CouponError {
  return usageError(
    'INSPECT_USAGE',
    `inspect has no "${printable(written)}"${suggestion(written, FORMS)}`,
    `Use ${FORMS.join(', ')}, or nothing for all coupons; ${suggested`inspect coupon ${written}`} shows one.`,
  );
}

function sub(parent: Command, name: string, summary: string, examples: string): Command {
  const description = `Show ${summary}.`;
  const command = parent.command(name).summary(summary).description(description);
  return command.helpCommand(false).addHelpText('after', `\nExamples:\n  ${examples}`);
}

async function show<T>(
  cli: Cli,
  command: { name(): string; optsWithGlobals(): object },
  read: (ports: InspectPorts, page: PageOptions) => Promise<T>,
  text: (value: T, paint: Paint) => Answer,
): Promise<void> {
  await cli.run(command, async (context) => {
    const flags = command.optsWithGlobals() as InspectFlags;
    if (flags.state !== undefined && command.name() !== 'inspect')
      throw usageError(
        'INSPECT_USAGE',
        '--state belongs to the list of all coupons',
        'Leave it out, or use `coupon-cli inspect --state …`.',
      );
    const page = { limit: flags.limit === undefined ? 50 : parseWhole(flags.limit, '--limit', 1, 10_000), after: flags.after ?? null };
    await watch(
      context,
      flags,
      async () => {
        const { redis, ledger } = await openWithRights(context, { use: 'inspect', couponIds: [], reconnect: flags.watch === true });
        const { reader, keyStyle } = redis;
        const ports = { reader, ledger, keyStyle };
        return () => read(ports, page);
      },
      text,
    );
  });
}
