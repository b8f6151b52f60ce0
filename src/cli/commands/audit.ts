import { setTimeout as delay } from 'node:timers/promises';
import { audit } from '../../app/audit.ts';
import { parseCouponId } from '../../core/ids.ts';
import { auditText } from '../../render/audit.ts';
import { EXIT } from '../exit-codes.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli audit                     every coupon, user by user
  coupon-cli audit summer winter       these only
  coupon-cli audit summer --scan       also look for issued hashes that nothing else knows (walks all keys)
  coupon-cli audit --json | jq '.findings[] | {code, couponId, count, sample}'

Nothing is changed, and the campaign may run on meanwhile. Exit code 4 if anything was found.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('[id...]', 'coupons to look at; all of them when none is named')
    .option('--scan', "also walk Redis's whole keyspace for issued hashes that nothing else knows")
    .addHelpText('after', EXAMPLES)
    .action(async (ids, flags, self) => {
      await cli.run(self, async (context) => {
        const couponIds = ids.map(parseCouponId);
        const [{ reader }, ledger] = [await context.redis(), await context.ledger()];
        const ports = { reader, ledger, pause: async (ms: number) => delay(ms) };
        const report = await audit(ports, { couponIds, scan: flags.scan === true, keyStyle: context.keyStyle });
        context.out.data(report, (paint) => auditText(report, paint));
        return report.ok ? EXIT.ok : EXIT.broken;
      });
    });
};
