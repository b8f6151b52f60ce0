import type { RepairReport } from './repair.ts';
import { printable } from '../../campaign/ids.ts';
import { REPAIR_STEPS, type LeftToYou, type PlannedStep } from './plan.ts';
import { auditText } from '../text.ts';
import type { Paint } from '../../lib/style.ts';
import { table } from '../../lib/table.ts';

/** The plan, what came of it, and the audit afterwards with its verdict at the end. */
export function repairText(report: RepairReport, paint: Paint): string {
  const { dryRun, plan, done, before, after } = report;
  if (plan.steps.length === 0) return [auditText(before, paint), ...manualText(plan.manual, paint)].join('\n\n');
  const parts = [paint.bold(dryRun ? 'A repair would, in this order:' : 'Repaired:'), stepTable(plan.steps, done, dryRun, paint)];
  parts.push(
    plan.steps
      .map(({ step }) => step)
      .filter(isFirst)
      .map((step) => paint.dim(`${step}: ${REPAIR_STEPS[step]}`))
      .join('\n'),
  );
  parts.push(...manualText(plan.manual, paint));
  parts.push(...takenAwayText(report, paint));
  if (dryRun) parts.push('Nothing was changed. The same command without --dry-run does it.');
  if (after) parts.push(auditText(after, paint));
  return parts.join('\n\n');
}

function stepTable(steps: readonly PlannedStep[], done: RepairReport['done'], dryRun: boolean, paint: Paint): string {
  const doneBy = ({ couponId, step }: PlannedStep): number =>
    done.find((one) => one.couponId === couponId && one.step === step)?.count ?? 0;
  return table(
    steps,
    [
      { head: 'COUPON', value: (row) => row.couponId },
      { head: 'STEP', value: (row) => row.step },
      { head: 'FOUND', value: (row) => row.count, align: 'right' },
      ...(dryRun ? [] : [{ head: 'DONE', value: doneBy, align: 'right' as const }]),
      { head: 'BECAUSE', value: (row) => row.because.join(', ') },
      {
        head: 'SUCH AS',
        value: (row) =>
          row.sample
            .slice(0, 3)
            .map((userId) => printable(userId, 20))
            .join(', '),
      },
    ],
    paint,
  );
}

const NAMED = 20;

function takenAwayText({ plan, confirmed }: RepairReport, paint: Paint): string[] {
  return plan.takesAway.map(({ couponId, users }) => {
    const what = `${users.length} ${users.length === 1 ? 'user' : 'users'} of coupon ${couponId}`;
    const head = confirmed ? `Deleted with --confirm: ${what}` : `Not done without --confirm, because it deletes ${what}`;
    const names = users.slice(0, NAMED).map((userId) => printable(userId, 20));
    const more = users.length > NAMED ? [`and ${users.length - NAMED} more (--json names all)`] : [];
    return [paint.bold(`${head}:`), `  ${[...names, ...more].join(', ')}`].join('\n');
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
