import { parseCouponId } from '../../campaign/ids.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { logText } from '../../operate/change-text.ts';
import type { Configure } from '../command.ts';
import { ZONE_ABOUT, ZONE_FLAG } from '../output/time-zone.ts';
import { withTableFlags } from '../output/table-flags.ts';
import { ledgerWithRights } from '../rights.ts';

export const configure: Configure = (command, cli) => {
  withTableFlags(command)
    .argument('[id]', 'coupon id; all coupons when none is named')
    .option('--limit <n>', 'entries to show, 1–10000', '50')
    .option(ZONE_FLAG, ZONE_ABOUT)
    .addHelpText('after', '\nExamples:\n  coupon-cli log\n  coupon-cli log summer --json')
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const limit = parseWhole(flags.limit, '--limit', 1, 10_000);
        const ledger = await ledgerWithRights(context, 'log');
        const changes = await ledger.changes(id === undefined ? null : parseCouponId(id), limit);
        context.out.data({ changes }, (paint) => logText(changes, paint));
      });
    });
};
