import { printable } from '../../lib/text/visible.ts';
import type { CouponDetail, CouponLine, CouponList } from './coupons.ts';
import { otherKeysText } from '../../campaign/only-in-redis.ts';
import { SUSPECT_REASONS, upToMissing } from '../../campaign/known-coupon.ts';
import { durationFlag, formatDuration } from '../../lib/duration.ts';
import { unreadableText } from '../../campaign/unreadable-window.ts';
import { WRONG_TYPE_FIX, wrongTypeText } from '../../campaign/wrong-type.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { number } from '../../lib/text/figures.ts';
import type { Paint } from '../../lib/text/style.ts';
import { fieldTable, listOf, type Answer } from '../../lib/text/table.ts';

const STATE_TEXTS: Readonly<Record<string, string>> = {
  sold_out: 'sold out',
  seeding: 'seeding not finished',
  adopting: 'adoption not finished',
  resetting: 'reset not finished',
  missing_in_redis: 'missing in Redis',
  missing_in_ledger: 'missing in the ledger',
  other_key_style: 'other key style',
  wrong_type: 'a key of another type',
  server_away: 'its server is away',
  unreadable_time: 'a time that cannot be read',
};

/** @param states that were asked for; empty: all */
export function couponsText(list: CouponList, paint: Paint, states: readonly string[] = []): Answer {
  const { coupons, total, next, wrongIndex, otherKeys, restarted } = list;
  const only = states.join();
  const none = otherKeys
    ? otherKeysText(otherKeys)
    : only !== ''
      ? `no coupons are ${only.replaceAll('_', ' ').replaceAll(',', ' or ')}; \`coupon-cli inspect\` shows all`
      : 'no coupons yet; `coupon-cli seed ID --name TEXT --stock N` makes one';
  const hint = coupons.some((coupon) => coupon.suspect !== null || coupon.state.startsWith('missing_'));
  return listOf(
    coupons,
    [
      { head: 'COUPON', value: (row) => row.couponId, narrow: 'wrap' },
      { head: 'NAME', value: (row) => row.name, narrow: 'cut', rank: 4 },
      { head: 'STATE', value: stateText, narrow: 'wrap' },
      { head: 'TOTAL', value: (row) => row.total, align: 'right', rank: 3 },
      { head: 'STOCK', value: (row) => row.stock, align: 'right' },
      { head: 'WAITING', value: (row) => row.waiting, align: 'right' },
      { head: 'CLAIMED', value: (row) => row.claimed, align: 'right', rank: 6 },
      { head: 'DEAD', value: (row) => row.dead, align: 'right', rank: 5 },
      { head: 'ISSUED', value: (row) => row.issued, align: 'right' },
      { head: 'OLDEST', value: oldestText, align: 'right', rank: 2 },
      { head: 'TIME LEFT', value: timeLeftText, align: 'right', rank: 1 },
      ...(coupons.some(({ opensAt }) => opensAt !== null)
        ? [{ head: 'OPENS', value: (row: CouponLine) => timeText(row.opensAt, paint) ?? '', rank: 9 }]
        : []),
      ...(coupons.some(({ closesAt }) => closesAt !== null)
        ? [{ head: 'CLOSES', value: (row: CouponLine) => timeText(row.closesAt, paint) ?? '', rank: 8 }]
        : []),
      ...(coupons.some(({ server }) => server !== undefined)
        ? [{ head: 'SERVER', value: (row: CouponLine) => row.server ?? '', rank: 7 }]
        : []),
    ],
    paint,
    {
      empty: total === 0 ? none : `no more coupons (${number(total)} in all)`,
      remarks: [
        ...coupons.flatMap(remarks),
        ...(wrongIndex ? [`Coupons that only Redis has are not shown: ${wrongTypeText(wrongIndex)}`] : []),
        ...(hint ? ['`coupon-cli audit` says what is wrong.'] : []),
        ...(restarted ? ['The coupon named by --after is none of these; this is the head of the list.'] : []),
        ...pageText(coupons.length, total, next === null ? null : nextPage(next, only), paint),
      ],
    },
  );
}

export function couponText(coupon: CouponDetail, paint: Paint): string {
  const { epoch, version, fence } = coupon;
  const both = (ledger: string | number, redis: string | number | null): string =>
    ledger === redis ? String(ledger) : `${ledger} in the ledger, ${redis ?? 'nothing'} in Redis`;
  const rows: [string, string | number | null][] = [
    ['coupon', coupon.couponId],
    ['name', coupon.name],
    ['state', stateText(coupon)],
    ...(coupon.suspect === null ? [] : [['suspect', SUSPECT_REASONS[coupon.suspect] ?? coupon.suspect] as [string, string]]),
    [
      'requests',
      `from ${timeText(coupon.opensAt, paint) ?? 'the start'} until ${timeText(coupon.closesAt, paint) ?? 'it is closed by hand'}`,
    ],
    [
      'expiry',
      timeText(coupon.expiresAt, paint) ?? (coupon.validForMs === null ? 'never' : `${durationFlag(coupon.validForMs)} after issue`),
    ],
    ['total', coupon.total],
    ['stock', coupon.stock],
    ['accepted', coupon.admitted],
    ['waiting', coupon.waiting],
    ['claimed', coupon.claimed],
    ['dead', coupon.dead],
    ['issued', coupon.issued],
    ['returned', coupon.returned],
    ['oldest', oldestText(coupon)],
    ['pace', `${number(coupon.issuedLastMinute)} issued in the last minute`],
    ['time left', timeLeftText(coupon)],
    ['key style', coupon.keyStyle],
    ...(coupon.server === undefined ? [] : [['server', coupon.server] as [string, string]]),
    ['epoch', both(epoch.ledger, epoch.redis)],
    ['version', both(version.ledger, version.redis)],
    ['claim no.', `${fence.redis ?? 'none'}, ${fence.ledger} reached the ledger`],
  ];
  return [fieldTable(rows, paint), ...remarks(coupon)].join('\n');
}

function nextPage(after: string, only: string): string {
  return only === '' ? command`inspect --after ${after}` : command`inspect --state ${only} --after ${after}`;
}

/**
 * `Showing 50 of 1,200` and how to go on; nothing when everything is on the page.
 *
 * @param goOn the command that shows the next page; null: there is none
 */
export function pageText(shown: number, total: number, goOn: string | null, paint: Paint): string[] {
  if (goOn === null && shown >= total) return [];
  const more = goOn === null ? '' : `; go on with ${goOn}, or show more with --limit`;
  return [paint.dim(`Showing ${number(shown)} of ${number(total)}${more}`)];
}

function stateText({ state }: CouponLine): string {
  return STATE_TEXTS[state] ?? state;
}

function oldestText({ oldestWaitingMs, waiting }: CouponLine): string {
  if (oldestWaitingMs !== null) return formatDuration(oldestWaitingMs);
  return (waiting ?? 0) > 0 ? '?' : '–';
}

/** Null stays null. */
export function timeText(instant: string | null, paint: Paint): string | null {
  return instant === null ? null : paint.time(instant);
}

/** What the columns cannot say. */
function remarks({ couponId, wrongType, mayBeMissing, unreadable, timeless, future }: CouponLine): string[] {
  const lines: string[] = [];
  if (wrongType) lines.push(`${printable(wrongTypeText(wrongType), 250)}. ${WRONG_TYPE_FIX}`);
  if (mayBeMissing !== null) lines.push(`${upToMissing(mayBeMissing)}; paused until ${command`audit ${couponId} --repair --reopen`}`);
  if (unreadable) lines.push(`${unreadableText(unreadable)}; no requests are taken until ${command`audit ${couponId} --repair`}`);
  if (timeless > 0) lines.push(`${number(timeless)} waiting with a score that is no time`);
  if (future > 0) lines.push(`${number(future)} waiting with a request time in the future`);
  return lines.map((line) => `coupon ${printable(couponId)}: ${line}`);
}

function timeLeftText({ timeLeftMs, waiting, claimed }: CouponLine): string {
  if ((waiting ?? 0) + (claimed ?? 0) === 0) return '–';
  return timeLeftMs === null ? 'not draining' : formatDuration(timeLeftMs);
}
