import { audit, type AuditEvents } from '../../audit/audit.ts';
import { documented, documentedRepair } from '../../audit/documented.ts';
import type { RepairOptions, RepairReport } from '../../audit/repair/repair.ts';
import { systemClock } from '../../lib/clock.ts';
import { usageError } from '../../lib/errors.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { auditText } from '../../audit/text.ts';
import { plural } from '../../lib/text/figures.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { openWithRights } from '../rights.ts';
import { startProgress, type Progress } from '../output/progress.ts';
import { WIDE, WIDE_ABOUT } from '../output/table-flags.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli audit                     every coupon, user by user
  coupon-cli audit summer winter       these only
  coupon-cli audit summer --scan       also look for issued hashes that nothing else knows (walks all keys)
  coupon-cli audit summer --except user-17       part of this user was erased by hand
  coupon-cli audit summer --repair --dry-run     what a repair would do
  coupon-cli audit summer --repair     mend it, and audit again
  coupon-cli audit summer --repair --reopen      open it, although accepted users may be missing
  coupon-cli audit --json | jq '.findings[] | {code, couponId, count, sample}'

Without --repair nothing is changed. The campaign may run on meanwhile: while coupons are being issued the stores are read little by
little, which takes longer and leaves them to the drain. Exit code 4 if anything was found, or is left after a repair.
A repair never issues more than the total, never takes a coupon from a user who has one, and may be interrupted and run again. Where Redis
lost its records, it says how many accepted users may be missing, and the coupon stays paused until --reopen.`;

const AUDITING = 'auditing';

function looking(progress: Progress): AuditEvents {
  return { looked: (couponId, users) => progress.update(`${AUDITING} coupon ${couponId}: ${plural(users, 'user')} so far`) };
}

export const configure: Configure = (command, cli) => {
  command
    .argument('[id...]', 'coupons to look at; all of them when none is named')
    .option('--scan', "also walk Redis's whole keyspace for issued hashes that nothing else knows")
    .option('--except <user...>', 'leave these users out of the findings: part of them was erased by hand')
    .option('--repair', 'mend what can be mended without a person')
    .option('--confirm', 'with --repair: also take the steps that delete users, without a question')
    .option('--reopen', 'with --repair: open coupons of which accepted users may be missing')
    .option('-n, --dry-run', 'with --repair: say what would be done, change nothing')
    .option(WIDE, WIDE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (ids, flags, self) => {
      await cli.run(self, async (context) => {
        const options = { couponIds: ids.map(parseCouponId), scan: flags.scan === true };
        const { repair = false, dryRun = false, confirm: confirmed = false, reopen = false } = flags;
        const given = Object.entries({ '--dry-run': dryRun, '--confirm': confirmed, '--reopen': reopen }).find(([, isGiven]) => isGiven);
        if (given && !repair) {
          const fix = `Add --repair, or leave ${given[0]} out: an audit changes nothing.`;
          throw usageError('AUDIT_USAGE', `${given[0]} belongs to --repair`, fix);
        }
        const { except = [] } = flags;
        if (repair && except.length > 0)
          throw usageError(
            'AUDIT_USAGE',
            '--except is for an audit alone: a repair would write back what was erased',
            'Finish the erasure with `coupon-cli forget USER --confirm`, then repair.',
          );
        context.env.lowerPriority(); // `serve` and `drain` on this machine come first
        if (repair) return repairThem(context, { ...options, dryRun, confirm: confirmed, reopen });
        const { redis, ledger } = await openWithRights(context, { use: useOf('audit', options), couponIds: options.couponIds });
        const { reader, keyStyle } = redis;
        const progress = await startProgress(context, AUDITING);
        const report = await audit({ reader, ledger, clock: systemClock }, { ...options, keyStyle, except }, looking(progress));
        progress.stop();
        context.out.data(documented(report), (paint) => auditText(report, paint));
        return report.ok ? EXIT.ok : EXIT.broken;
      });
    });
};

function useOf(command: string, { scan }: { scan: boolean }): string {
  return scan ? `${command} --scan` : command;
}

async function repairThem(context: Context, options: Omit<RepairOptions, 'keyStyle'>): Promise<number> {
  const [{ repair }, { repairText }, { redisRepairs }, { ledgerRepairs }] = await Promise.all([
    import('../../audit/repair/repair.ts'),
    import('../../audit/repair/text.ts'),
    import('../../stores/redis/repairs.ts'),
    import('../../stores/postgres/ledger-repairs.ts'),
  ]);
  const { couponIds } = options;
  const { redis, ledger, database } = await openWithRights(context, { use: useOf('audit --repair', options), couponIds });
  const { reader, claims, coupons, connection, keyStyle } = redis;
  const writes = { redis: redisRepairs(connection, keyStyle), repairs: ledgerRepairs(database) };
  const mend = async (confirmed: boolean): Promise<RepairReport> => {
    const progress = await startProgress(context, AUDITING);
    const report = await repair(
      { reader, ledger, claims, coupons, ...writes, clock: systemClock },
      { ...options, confirm: confirmed, keyStyle },
      {
        ...looking(progress),
        mended: (couponId, step, count) => progress.update(`coupon ${couponId}: ${step}, ${count} so far`),
      },
    );
    progress.stop();
    context.out.data(documentedRepair(report), (paint) => repairText(report, paint));
    return report;
  };
  let report = await mend(options.confirm);
  const { takesAway } = report.plan;
  const mayAsk = context.env.interactive && !context.out.json && !options.dryRun && !options.confirm;
  if (takesAway.length > 0 && mayAsk) {
    const users = takesAway.reduce((sum, one) => sum + one.users.length, 0);
    await confirm(context, { given: false, question: `Delete ${plural(users, 'user')}, as named above, for good?`, flag: '--confirm' });
    report = await mend(true);
  }
  return report.ok ? EXIT.ok : EXIT.broken;
}
