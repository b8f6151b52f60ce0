import { randomUUID } from 'node:crypto';
import type { CouponDefinition } from '../../campaign/coupon.ts';
import { parseCouponId } from '../../campaign/ids.ts';
import { newWindowWarnings } from '../../campaign/window-warnings.ts';
import { usageError } from '../../lib/errors.ts';
import { applyEdits, planEdits } from '../../operate/change/edit.ts';
import { editDiffText, editedText, editQuestion } from '../../operate/change/edit-text.ts';
import type { Configure } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { openWithRights } from '../rights.ts';
import { WIDE, WIDE_ABOUT } from '../output/table-flags.ts';

const EXAMPLES = `
Examples:
  coupon-cli edit --file event.yaml --dry-run       what would change, field by field
  coupon-cli edit --file event.yaml                 shows it, and asks
  coupon-cli edit summer --file event.yaml --confirm --reason "longer window"

Name, window and expiry of coupons that are seeded become what the file says; what the file leaves out is taken away. The stock is raised by
\`restock\`, and the state is changed by \`pause\`, \`resume\` and \`close\`. All coupons are checked first; interrupted anywhere, the same command
finishes it. \`coupon-cli log\` shows who changed what.`;

export const configure: Configure = (command, cli) => {
  command
    .argument('[id]', 'only this coupon of the file')
    .requiredOption('--file <path>', 'an event file, as for `seed`; - for stdin')
    .option('--confirm', 'do it without a question')
    .option('--time-zone <zone>', 'in which times without a zone are meant, such as Asia/Seoul (COUPON_TIME_ZONE)')
    .option('--reason <text>', 'why, for the log')
    .option('-n, --dry-run', 'say what would change, change nothing')
    .option(WIDE, WIDE_ABOUT)
    .addHelpText('after', EXAMPLES)
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => {
        const wanted = await wantedCoupons(context, flags.file, id);
        const by = { byWhom: context.operator, reason: flags.reason ?? null };
        const { redis, ledger } = await openWithRights(context, { use: 'edit', couponIds: wanted.map((one) => one.id) });
        const ports = { ledger, coupons: redis.coupons, keyStyle: redis.keyStyle, newOpId: randomUUID };
        const plan = await planEdits(wanted, by, ports);
        for (const one of wanted) {
          const before = await ledger.coupon(one.id);
          for (const warning of before ? newWindowWarnings(before, one, new Date()) : []) context.out.warn(warning);
        }
        if (flags.dryRun || plan.every(({ outcome }) => outcome === 'unchanged')) {
          context.out.data({ dryRun: flags.dryRun === true, coupons: plan }, (paint) => editDiffText(plan, paint));
          return;
        }
        if (!context.out.json) context.out.note(editDiffText(plan, context.out.notePaint));
        await confirm(context, { given: flags.confirm, question: editQuestion(plan), flag: '--confirm' });
        const edits = await applyEdits(wanted, plan, by, ports);
        context.out.done({ dryRun: false, coupons: edits }, (paint) => editedText(edits, paint));
      });
    });
};

async function wantedCoupons(context: Context, file: string, id: string | undefined): Promise<CouponDefinition[]> {
  const { readEventFile } = await import('../files/event-file.ts');
  const all = await readEventFile(context.env, file, context.zone);
  if (id === undefined) return all;
  const wanted = all.filter((one) => one.id === parseCouponId(id));
  if (wanted.length > 0) return wanted;
  throw usageError('EDIT_REFUSED', `${file} has no coupon ${id}`, `It has ${all.map((one) => one.id).join(', ')}.`);
}
