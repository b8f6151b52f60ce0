import type { IssuedList, QueueList, UserDetail } from './users.ts';
import { number, plural } from '../../lib/text/figures.ts';
import { formatDuration } from '../../lib/duration.ts';
import { wrongTypeText } from '../../campaign/wrong-type.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { pageText, timeText } from './coupons-text.ts';
import { printable } from '../../lib/text/visible.ts';
import type { Paint } from '../../lib/text/style.ts';
import { fieldTable, listOf, type Answer } from '../../lib/text/table.ts';

export function queueText({ couponId, total, queue, next, restarted }: QueueList, paint: Paint): Answer {
  const goOn = next === null ? null : command`inspect queue ${couponId} --after ${next}`;
  const head = restarted ? ['The user named by --after waits no more; this is the head of the queue.'] : [];
  return listOf(
    queue,
    [
      { head: '#', name: 'position', value: (row) => row.position, align: 'right' },
      { head: 'USER', value: (row) => row.userId, narrow: 'wrap' },
      { head: 'REQUESTED AT', value: (row) => timeText(row.requestedAt, paint) ?? 'no time', rank: 1 },
      { head: 'WAITING FOR', value: (row) => (row.waitingMs === null ? '?' : formatDuration(row.waitingMs)), align: 'right' },
    ],
    paint,
    {
      empty: total === 0 ? `no user waits for coupon ${couponId}` : `no more users (${number(total)} waiting in all)`,
      remarks: [...head, ...pageText(queue.length, total, goOn, paint)],
    },
  );
}

export function issuedText({ couponId, total, issued, next }: IssuedList, paint: Paint): Answer {
  const none = `nothing issued from coupon ${couponId} yet; ${command`drain ${couponId}`} issues to those who wait`;
  const goOn = next === null ? null : command`inspect issued ${couponId} --after ${next}`;
  return listOf(
    issued,
    [
      { head: 'USER', value: (row) => row.userId, narrow: 'wrap' },
      { head: 'REQUESTED AT', value: (row) => paint.time(row.requestedAt), rank: 3 },
      { head: 'ISSUED AT', value: (row) => paint.time(row.issuedAt), rank: 1 },
      { head: 'EXPIRES AT', value: (row) => timeText(row.expiresAt, paint), rank: 4 },
      { head: 'USED AT', value: (row) => timeText(row.usedAt, paint) },
      { head: 'REVOKED AT', value: (row) => timeText(row.revokedAt, paint), rank: 2 },
      { head: 'WORKER', value: (row) => row.worker, narrow: 'wrap', rank: 5 },
    ],
    paint,
    {
      empty: total === 0 ? none : `no more users (${number(total)} issued in all)`,
      remarks: pageText(issued.length, total, goOn, paint),
    },
  );
}

export function userText(user: UserDetail, paint: Paint): string {
  const { couponId, userId, admitted, waiting, claim, dead, hash, occupied, ledger } = user;
  if (user.place === null && !hash && !claim && !occupied) return `user ${userId} never asked for coupon ${couponId}, or was refused`;
  const rows: [string, string | number | null][] = [
    ['coupon', couponId],
    ['user', userId],
    ['place', placeText(user)],
    [
      'accepted',
      admitted
        ? `request of ${timeText(admitted.requestedAt, paint) ?? 'an unknown time'}, id ${admitted.requestId || 'none (another service)'}`
        : 'no',
    ],
  ];
  if (waiting)
    rows.push([
      'waiting',
      `number ${waiting.position ?? '?'} in the queue, since ${timeText(waiting.requestedAt, paint) ?? 'an unknown time'}`,
    ]);
  if (claim) {
    const lease = claim.leaseUntil === null ? 'given back' : `until ${paint.time(claim.leaseUntil)}`;
    rows.push(['claim', `no. ${claim.fence} by ${claim.worker}, ${lease}, delivery ${claim.deliveries}, ${plural(claim.faults, 'fault')}`]);
  }
  if (dead !== null) rows.push(['dead', dead]);
  rows.push(['ledger', ledger ? `issued ${paint.time(ledger.issuedAt)}, by ${ledger.worker}, claim no. ${ledger.fence}` : 'no row']);
  if (ledger) {
    rows.push(['expires', timeText(ledger.expiresAt, paint) ?? 'never'], ['used', timeText(ledger.usedAt, paint) ?? 'no']);
    if (ledger.revokedAt) rows.push(['revoked', paint.time(ledger.revokedAt)]);
  }
  if (!hash) rows.push(['hash', 'none']);
  for (const [field, value] of Object.entries(hash ?? {})) rows.push([`hash ${field}`, value]);
  const story = user.story.map(({ at, event, detail }): [string, string] => [
    timeText(at, paint) ?? 'now',
    `${event}: ${printable(detail, 250)}`,
  ]);
  // A key is longer than a cell.
  return [
    fieldTable(rows, paint),
    ...(story.length > 0 ? ['', paint.bold('STORY'), fieldTable(story, paint)] : []),
    ...(occupied ? [`hash: ${wrongTypeText(occupied)}`] : []),
  ].join('\n');
}

function placeText({ place, places, couponId }: UserDetail): string {
  if (place === 'admitted') return `none: accepted, and lost (${command`audit ${couponId}`})`;
  if (place === null) return 'none';
  return places.length > 1 ? `${place} (also ${places.filter((other) => other !== place).join(', ')})` : place;
}
