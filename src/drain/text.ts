import type { CouponPass } from './coupon-pass.ts';
import type { DrainTotals } from './loop.ts';
import { SUSPECT_REASONS } from '../campaign/known-coupon.ts';
import { DEAD_REASONS } from '../campaign/ids.ts';
import { WRONG_TYPE_FIX, wrongTypeText } from '../campaign/wrong-type.ts';
import { command, shellQuoted } from '../lib/text/suggested-command.ts';
import { formatDuration } from '../lib/duration.ts';
import { figure, number, plural } from '../lib/text/figures.ts';
import { visible, printable } from '../lib/text/visible.ts';

/** `coupon 42: issued 100, 1,900 waiting`. */
export function passText(pass: CouponPass): string {
  const parts = [`issued ${pass.issued}`];
  if (pass.reclaimed > 0) parts.push(`${pass.reclaimed} taken back from expired claims`);
  if (pass.released > 0) parts.push(`${pass.released} given back`);
  if (pass.dead > 0) parts.push(`${pass.dead} dead-lettered`);
  parts.push(`${pass.waiting} waiting`);
  return `coupon ${pass.couponId}: ${parts.join(', ')}`;
}

/** Which users were dead-lettered, or issued with a remark, and why; one line for all users of one reason. */
export function refusedText({ couponId, refused = [], timeless = [], occupied = [] }: CouponPass): string[] {
  const reasons = new Map<string, string[]>();
  for (const { userId, reason } of refused) reasons.set(reason, [...(reasons.get(reason) ?? []), userId]);
  const lines = [...reasons].map(([reason, users]) => {
    const why = DEAD_REASONS[reason] ?? `the ledger says: ${visible(reason)}`;
    return `coupon ${couponId}: ${who(users)} dead-lettered, ${why}; ${command`dead list ${couponId}`} shows them`;
  });
  if (timeless.length > 0) {
    lines.push(`coupon ${couponId}: ${who(timeless)} issued as having asked now: the score of the queue entry is no time`);
  }
  if (occupied.length > 0) {
    const keys = occupied.length === 1 ? '' : ` and ${occupied.length - 1} more`;
    lines.push(
      `coupon ${couponId}: issued in the ledger alone, the hash cannot be written: ${printable(wrongTypeText(occupied[0]!), 250)}${keys}; ` +
        `move the key away, then ${command`audit ${couponId} --repair`} writes the hash`,
    );
  }
  return lines;
}

function who(users: readonly string[]): string {
  return users.length === 1 ? `user ${printable(users[0]!)}` : `${plural(users.length, 'user')} (${printable(users[0]!)}, …)`;
}

export function heldText({ couponId, heldBy = '' }: CouponPass): string {
  return `coupon ${couponId}: worker ${printable(heldBy)} drains its backlog; this one stands by, and takes over when that one stops`;
}

/** Why a coupon is not being drained, and what to do. */
export function skippedText(pass: CouponPass): string {
  const name = `coupon ${printable(pass.couponId)}`;
  switch (pass.skipped) {
    case 'suspect':
      return `${name} is suspect and not drained: ${SUSPECT_REASONS[pass.reason ?? ''] ?? printable(pass.reason ?? '')}; see ${command`audit ${pass.couponId}`}`;
    case 'gone':
      return `${name} is in the ledger but not in Redis; see ${command`audit ${pass.couponId}`}`;
    case 'key_style':
      return `${name} was seeded with key style ${pass.reason}; drain it with --key-style ${shellQuoted(pass.reason ?? '')}`;
    case 'unfinished':
      return `${name} is not ready (${pass.reason}): run its \`${pass.reason === 'adopting' ? 'adopt' : 'seed'}\` command again`;
    case 'wrong_type':
      return `${name} is not drained: ${printable(pass.reason ?? '', 250)}. ${WRONG_TYPE_FIX}`;
    case 'redis_refused':
      return `${name} is not drained, Redis refused a command on its keys: ${printable(pass.reason ?? '', 250)}`;
    case 'serialised':
      return `${printable(pass.couponId, 250)} is a key that a JSON or JDK serializer spelled: nothing reads it; use a string serializer for keys`;
    case 'no_ledger':
      return `Redis has a queue for ${name}, but the ledger has no such coupon; it is left alone`;
    case 'refused':
      return pass.undecided
        ? `${name}: the ledger refuses the only user who waits: ${pass.reason}; dead-lettered if it goes on`
        : `${name} is skipped: the ledger refuses every user that was tried: ${pass.reason}; they stay in the queue, and it is tried again`;
    case 'busy':
    case 'node_down':
      return `${name} is skipped for a moment: ${pass.reason}`;
    default:
      return `${name} was reset meanwhile`;
  }
}

/** Between a second and a minute, tenths still say something. */
function tookText(seconds: number): string {
  return seconds >= 1 && seconds < 60 ? `${figure(seconds)} s` : formatDuration(seconds * 1_000);
}

export function totalsText(totals: DrainTotals): string {
  const rate = totals.seconds > 0 && totals.issued > 0 ? ` (${number(Math.round(totals.issued / totals.seconds))}/s)` : '';
  const extra = [
    totals.reclaimed > 0 ? `, ${number(totals.reclaimed)} taken back from expired claims` : '',
    totals.dead > 0 ? `, ${number(totals.dead)} dead-lettered` : '',
  ].join('');
  return `issued ${number(totals.issued)} in ${plural(totals.passes, 'pass', 'passes')}, ${tookText(totals.seconds)}${rate}${extra}`;
}
