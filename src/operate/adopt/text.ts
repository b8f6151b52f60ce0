import type { CouponError } from '../../lib/errors.ts';
import { number } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { printable } from '../../lib/text/visible.ts';
import type { AdoptResult } from './adopt.ts';
import type { AdoptionPlan } from './plan.ts';

/** What was found, a line each, with what is noteworthy below. */
export function planText(plan: AdoptionPlan, problems: readonly CouponError[], paint: Paint): string {
  const { couponId, name, total, stock, waiting, issued, used, revoked, state, opensAt, closesAt, expiry, scores } = plan;
  const count = (value: number | null): string => (value === null ? 'unknown' : number(value));
  const lines: [string, string][] = [
    ['keys', [plan.keys.hash, plan.keys.queue, plan.keys.issued].map((key) => printable(key)).join(', ')],
    ['name', printable(name)],
    ['total', count(total)],
    ['stock', count(stock)],
    ['waiting', `${number(waiting)}${namesOf(plan.serializers.members)}`],
    ['issued', `${number(issued)}, of them ${number(used)} used${revoked > 0 ? ` and ${number(revoked)} revoked` : ''}`],
    [
      'state',
      `${state}${opensAt === '' ? '' : `, opens ${paint.time(opensAt)}`}${closesAt === '' ? '' : `, closes ${paint.time(closesAt)}`}`,
    ],
    ['expiry', expiry === '' ? 'never' : expiry],
    ['scores', scoresText(scores)],
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  const found = lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`);
  const remarks = remarksOn(plan).map((remark) => `  ${paint.yellow('!')} ${remark}`);
  const why = problems.map(({ message }) => `  ${paint.red('✗')} ${message}`);
  return [`coupon ${couponId}, as it is in Redis:`, ...found, ...remarks, ...why].join('\n');
}

export function adoptedText({ plan, outcome }: AdoptResult, paint: Paint): string {
  const { couponId, waiting, issued } = plan;
  const users = `${number(waiting)} waiting, ${number(issued)} issued`;
  if (outcome === 'planned') return `${planText(plan, [], paint)}\nwould be adopted as it is; nothing was changed`;
  const how = outcome === 'finished' ? ' (an interrupted adoption is finished)' : '';
  return `${planText(plan, [], paint)}\n${paint.green('✔')} coupon ${couponId} is adopted: ${users}${how}\n${command`audit ${couponId}`} proves it, ${command`drain ${couponId}`} issues to those who wait`;
}

function scoresText({ units, oldest, latest }: AdoptionPlan['scores']): string {
  const named = Object.entries(units).map(([unit, count]) => (Object.keys(units).length === 1 ? unit : `${number(count)} in ${unit}`));
  if (named.length === 0) return 'none';
  const range = oldest === latest ? oldest : `${oldest} to ${latest}`;
  return `${named.join(', ')}; ${range}`;
}

/** ` (3 of them as json)`; nothing is said of plain text. */
function namesOf(serializers: AdoptionPlan['serializers']['members']): string {
  const odd = Object.entries(serializers).filter(([name]) => name !== 'string');
  return odd.length === 0 ? '' : ` (${odd.map(([name, count]) => `${number(count)} as ${name.replace('_', ' ')}`).join(', ')})`;
}

function remarksOn(plan: AdoptionPlan): string[] {
  const { total, totalThere, scores, serializers, skipped, unread } = plan;
  const units = Object.keys(scores.units).length;
  const remarks = [
    totalThere !== undefined && `the hash has a total of ${number(totalThere)}; ${total === null ? 'none' : number(total)} is taken`,
    units > 1 && 'scores of several units are put on one scale: microseconds',
    scores.future > 0 && `requests in the future: ${number(scores.future)}; check clock and time zone of the service`,
    plan.severalTimes > 0 && `users in the queue in several spellings: ${number(plan.severalTimes)}; the earliest request counts`,
    plan.issuedAndWaiting > 0 && `users in the queue who have a coupon: ${number(plan.issuedAndWaiting)}; they leave it`,
    plan.issuedWithoutTime > 0 &&
      `issued coupons without a time of issue: ${number(plan.issuedWithoutTime)}; the time of the adoption counts`,
    (serializers.members.json ?? 0) + (serializers.members.typed_json ?? 0) > 0 &&
      'members that a JSON serializer wrote become plain ids; let the service write plain ids from now on',
    plan.stockElsewhere !== undefined &&
      `the service counts the stock in ${printable(plan.stockElsewhere)}; from now on it counts in stock of coupon:${plan.couponId}: let requests go there, or to \`serve\``,
    skipped.count > 0 && `other keys, left alone: ${number(skipped.count)} (${sampleOf(skipped)})`,
    unread.length > 0 && `fields that are not read: ${unread.map(({ field }) => printable(field, 40)).join(', ')}`,
  ];
  return remarks.filter((remark) => typeof remark === 'string');
}

function sampleOf({ count, sample }: AdoptionPlan['skipped']): string {
  return `${sample.map((key) => printable(key)).join(', ')}${count > sample.length ? ', …' : ''}`;
}
