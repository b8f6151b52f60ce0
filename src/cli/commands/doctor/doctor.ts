import { MAX_TOTAL } from '../../../campaign/coupon.ts';
import { perSecond } from '../../../drain/pace.ts';
import { parseDuration } from '../../../lib/duration.ts';
import { docsLink } from '../../../lib/docs.ts';
import { usageError } from '../../../lib/errors.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { plural } from '../../../lib/text/figures.ts';
import { drainSeconds } from '../../../operate/doctor/event-lines.ts';
import { examine } from '../../../operate/doctor/examine.ts';
import type { EventPlan } from '../../../operate/doctor/plan.ts';
import type { DoctorReport } from '../../../operate/doctor/schema.ts';
import { countsText, linesText } from '../../../operate/doctor/text.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { EXIT } from '../../exit-codes.ts';
import { lookAtStores } from './look.ts';

const EXAMPLES = `
Examples:
  coupon-cli doctor                              before anything else
  coupon-cli doctor --users 1000000              is there room for so many accepted users?
  coupon-cli doctor --for event.yaml             does this event fit, and how long does it take to drain?
  coupon-cli doctor --for event.yaml --batch 1000 --workers 4 --drains 2
  coupon-cli doctor --json | jq '.lines[] | select(.verdict != "ok")'

Nothing is changed. What this user may not ask is "unknown"; \`coupon-cli grants doctor\` prints what is needed. Exit code 2 when a line is a
problem, or the event does not fit.`;

export const configure: Configure = (command, cli) => {
  command
    .option('--for <file>', 'the event that is to come, as `seed --file` reads it')
    .option('--users <n>', 'how many users will be accepted; all coupons of the event unless given')
    .option('--workers <n>', 'processes of serve that will run', '1')
    .option('--drains <n>', 'processes of drain that will run', '1')
    .option('--interval <duration>', 'time between two passes of drain (COUPON_INTERVAL, default 2s)')
    .option('--batch <n>', 'users per coupon and pass (COUPON_BATCH, default 100)')
    .option('--eager', 'drain will go on at once while users wait')
    .option('--max-pending <n>', 'clients of one serve that wait at once (COUPON_MAX_PENDING)')
    .option('--time-zone <zone>', 'in which times of the event without a zone are meant (COUPON_TIME_ZONE)')
    .option('--probe', 'measure the bytes per user with 1,000 users that are written and removed within one transaction')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const processes = parseWhole(flags.workers, '--workers', 0, 1_000) + parseWhole(flags.drains, '--drains', 0, 1_000);
        if (processes === 0) throw usageError('DOCTOR_USAGE', 'nothing would run', 'Give --workers or --drains at least 1.');
        const event = flags.for === undefined ? null : await eventPlan(context, flags.for, flags.eager === true);
        const users = flags.users === undefined ? null : parseWhole(flags.users, '--users', 0, MAX_TOTAL);
        const clients = parseWhole(context.settings.get('maxPending').value, context.settings.label('maxPending'), 1, 1_000_000);
        const { facts, plan } = await lookAtStores(context, { processes, clients, users, event, probe: flags.probe === true });
        const lines = examine(facts, plan);
        const has = (verdict: string): boolean => lines.some((line) => line.verdict === verdict);
        const verdict = (['problem', 'warning', 'unknown'] as const).find(has) ?? 'ok';
        const report: DoctorReport = {
          verdict,
          lines: lines.map((line) => ({ ...line, docs: docsLink('doctor', line.check) })),
          bytesPerUser: 'error' in facts.redis ? null : facts.redis.bytesPerUser,
          event: event && eventReport(event, verdict !== 'problem'),
        };
        context.out.data(report, (paint) =>
          [linesText(lines, paint), '', ...(report.event ? [eventText(report.event)] : []), countsText(lines)].join('\n'),
        );
        return verdict === 'problem' ? EXIT.usage : EXIT.ok;
      });
    });
};

async function eventPlan(context: Context, file: string, eager: boolean): Promise<EventPlan> {
  const { settings, env } = context;
  const { readEventFile } = await import('../../files/event-file.ts');
  const coupons = await readEventFile(env, file, context.zone);
  const batch = parseWhole(settings.get('batch').value, settings.label('batch'), 1, 1_000);
  const intervalMs = parseDuration(settings.get('interval').value, settings.label('interval'));
  return { file, coupons, perSecond: perSecond({ batch, intervalMs, eager }), now: new Date() };
}

function eventReport(event: EventPlan, fits: boolean): NonNullable<DoctorReport['event']> {
  const users = event.coupons.reduce((sum, { total }) => sum + total, 0);
  return { file: event.file, coupons: event.coupons.length, users, fits, drainSeconds: drainSeconds(event) };
}

function eventText({ file, coupons, users, fits, drainSeconds: seconds }: NonNullable<DoctorReport['event']>): string {
  const drained = seconds === null ? 'drained as fast as the stores take it' : `drained within ${formatDuration(seconds * 1_000)}`;
  return `${file} ${fits ? 'fits' : 'does not fit'}: ${plural(coupons, 'coupon')}, ${plural(users, 'user')}, ${drained}`;
}
