import type { IssuedList, QueueList, UserDetail } from './users.ts';
import { formatDuration } from '../../lib/duration.ts';
import { wrongTypeText } from '../../campaign/wrong-type.ts';
import { command } from '../../lib/text/suggested-command.ts';
import { fieldTable, pageText } from './coupons-text.ts';
import type { Paint } from '../../lib/text/style.ts';
import { table } from '../../lib/text/table.ts';

export function queueText({ couponId, total, queue, next, restarted }: QueueList, paint: Paint): string {
  if (queue.length === 0) return total === 0 ? `no user waits for coupon ${couponId}` : `no more users (${total} waiting in all)`;
  const lines = table(
    queue,
    [
      { head: '#', value: (row) => row.position, align: 'right' },
      { head: 'USER', value: (row) => row.userId },
      { head: 'REQUESTED AT', value: (row) => row.requestedAt ?? 'no time' },
      { head: 'WAITING FOR', value: (row) => (row.waitingMs === null ? '?' : formatDuration(row.waitingMs)), align: 'right' },
    ],
    paint,
  );
  const head = restarted ? ['The user named by --after waits no more; this is the head of the queue.'] : [];
  return [
    ...head,
    lines,
    ...pageText(queue.length, total, next === null ? null : command`inspect queue ${couponId} --after ${next}`, paint),
  ].join('\n');
}

export function issuedText({ couponId, total, issued, next }: IssuedList, paint: Paint): string {
  if (issued.length === 0) {
    return total === 0
      ? `nothing issued from coupon ${couponId} yet; ${command`drain ${couponId}`} issues to those who wait`
      : `no more users (${total} issued in all)`;
  }
  const lines = table(
    issued,
    [
      { head: 'USER', value: (row) => row.userId },
      { head: 'REQUESTED AT', value: (row) => row.requestedAt },
      { head: 'ISSUED AT', value: (row) => row.issuedAt },
      { head: 'EXPIRES AT', value: (row) => row.expiresAt },
      { head: 'USED AT', value: (row) => row.usedAt },
      { head: 'REVOKED AT', value: (row) => row.revokedAt },
      { head: 'WORKER', value: (row) => row.worker },
    ],
    paint,
  );
  return [lines, ...pageText(issued.length, total, next === null ? null : command`inspect issued ${couponId} --after ${next}`, paint)].join(
    '\n',
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
      admitted ? `request of ${admitted.requestedAt ?? 'an unknown time'}, id ${admitted.requestId || 'none (another service)'}` : 'no',
    ],
  ];
  if (waiting) rows.push(['waiting', `number ${waiting.position ?? '?'} in the queue, since ${waiting.requestedAt ?? 'an unknown time'}`]);
  if (claim) {
    const lease = claim.leaseUntil === null ? 'given back' : `until ${claim.leaseUntil}`;
    rows.push([
      'claim',
      `no. ${claim.fence} by ${claim.worker}, ${lease}, delivery ${claim.deliveries}, ${claim.faults} ${claim.faults === 1 ? 'fault' : 'faults'}`,
    ]);
  }
  if (dead !== null) rows.push(['dead', dead]);
  rows.push(['ledger', ledger ? `issued ${ledger.issuedAt}, by ${ledger.worker}, claim no. ${ledger.fence}` : 'no row']);
  if (ledger) {
    rows.push(['expires', ledger.expiresAt ?? 'never'], ['used', ledger.usedAt ?? 'no']);
    if (ledger.revokedAt) rows.push(['revoked', ledger.revokedAt]);
  }
  if (!hash) rows.push(['hash', 'none']);
  for (const [field, value] of Object.entries(hash ?? {})) rows.push([`hash ${field}`, value]);
  const story = user.story.map(({ at, event, detail }): [string, string] => [at ?? 'now', `${event}: ${detail}`]);
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
