import { printable } from '../../lib/text/visible.ts';
import type { RepairReport } from './repair.ts';
import { REPAIR_STEPS, type LeftToYou, type NamedUsers, type PlannedStep } from './plan.ts';
import { upToMissing } from '../../campaign/known-coupon.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { auditText } from '../text.ts';
import { number, plural } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

/** The plan, what came of it, and the audit afterwards with its verdict at the end. */
export function repairText(report: RepairReport, paint: Paint): string {
  const { plan, done, before, after } = report;
  const isPlan = report.dryRun || done.length === 0;
  const left = [...manualText(plan.manual, paint), ...missingText(report, paint)];
  if (plan.steps.length === 0) return [auditText(before, paint, { repaired: true }), ...left].join('\n\n');
  const parts = [paint.bold(isPlan ? 'A repair would, in this order:' : 'Repaired:'), stepTable(plan.steps, done, isPlan, paint)];
  parts.push(
    plan.steps
      .map(({ step }) => step)
      .filter(isFirst)
      .map((step) => paint.dim(`${step}: ${REPAIR_STEPS[step]}`))
      .join('\n'),
  );
  parts.push(...takenAwayText(report, paint), ...deadLetteredText(report, paint), ...left);
  if (report.dryRun) parts.push('Nothing was changed. The same command without --dry-run does it.');
  if (after) parts.push(auditText(after, paint, { repaired: true }));
  return parts.join('\n\n');
}

function stepTable(steps: readonly PlannedStep[], done: RepairReport['done'], isPlan: boolean, paint: Paint): string {
  const doneBy = ({ couponId, step }: PlannedStep): number =>
    done.find((one) => one.couponId === couponId && one.step === step)?.count ?? 0;
  return table(
    steps,
    [
      { head: 'COUPON', value: (row) => row.couponId, narrow: 'wrap' },
      { head: 'STEP', value: (row) => row.step },
      { head: 'FOUND', value: (row) => row.count, align: 'right' },
      ...(isPlan ? [] : [{ head: 'DONE', value: doneBy, align: 'right' as const }]),
      { head: 'BECAUSE', value: (row) => row.because.join(', '), narrow: 'wrap' },
      {
        head: 'SUCH AS',
        narrow: 'wrap',
        rank: 1,
        value: (row) =>
          row.sample
            .slice(0, 3)

            .join(', '),
      },
    ],
    paint,
  );
}

const NAMED = 20;

function takenAwayText({ plan, confirmed }: RepairReport, paint: Paint): string[] {
  return plan.takesAway.map((named) =>
    namedText(
      named,
      (what) => (confirmed ? `Deleted with --confirm: ${what}` : `Not done without --confirm, because it deletes ${what}`),
      paint,
    ),
  );
}

function deadLetteredText({ plan, dryRun }: RepairReport, paint: Paint): string[] {
  const head = dryRun ? 'Would be dead-lettered as over_promised' : 'Dead-lettered as over_promised';
  return plan.deadLetters.map((named) => namedText(named, (what) => `${head}: ${what}`, paint));
}

function namedText({ couponId, users }: NamedUsers, head: (what: string) => string, paint: Paint): string {
  const what = `${plural(users.length, 'user')} of coupon ${printable(couponId)}`;
  const names = users.slice(0, NAMED).map((userId) => printable(userId, 20));
  const more = users.length > NAMED ? [`and ${number(users.length - NAMED)} more (--json names all)`] : [];
  return [paint.bold(`${head(what)}:`), `  ${[...names, ...more].join(', ')}`].join('\n');
}

/** What cannot be known, and what decides it. */
function missingText({ plan, done }: RepairReport, paint: Paint): string[] {
  return plan.mayBeMissing.map(({ couponId, upTo }) => {
    const head = `${paint.yellow('!')} U${upToMissing(upTo).slice(1)} of coupon ${printable(couponId)}: Redis lost its records of them.`;
    const isOpen = done.some((one) => one.couponId === couponId && one.step === 'reopen');
    return isOpen
      ? `${head} With --reopen, their coupons may be given to others.`
      : `${head}\n  The coupon stays paused. If their coupons may be given to others: ${command`audit ${couponId} --repair --reopen`}`;
  });
}

function manualText(manual: readonly LeftToYou[], paint: Paint): string[] {
  if (manual.length === 0) return [];
  const lines = manual.map(({ couponId, code, advice }) => `${paint.yellow('!')} ${code} in coupon ${printable(couponId)}: ${advice}`);
  return [[paint.bold('Left to you:'), ...lines].join('\n')];
}

function isFirst<T>(value: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(value) === index;
}
