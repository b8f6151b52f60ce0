import type { UserFacts } from './user-facts.ts';

/** Something that happened to a user, as far as the stores still know it. */
export interface StoryEvent {
  /** ISO 8601; null: it is not kept when. Such events stand last. */
  at: string | null;
  event: 'asked' | 'claimed' | 'waiting' | 'dead' | 'issued' | 'used' | 'revoked' | 'forgotten';
  detail: string;
}

/** Tombstones of `forget` begin so. */
const TOMBSTONE = /^forgotten-[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** What became of one user, in order of time. */
export function storyOf({ userId, admitted, waiting, claim, dead, ledger }: UserFacts): StoryEvent[] {
  const events: StoryEvent[] = [];
  const tell = (event: StoryEvent['event'], at: string | null, detail: string): void => void events.push({ at, event, detail });
  const askedAt = admitted?.requestedAt ?? ledger?.requestedAt ?? waiting?.requestedAt ?? null;
  if (admitted ?? ledger ?? waiting) tell('asked', askedAt, admitted?.requestId ? `accepted, request ${admitted.requestId}` : 'accepted');
  if (ledger) {
    tell('issued', ledger.issuedAt, `by ${ledger.worker}, claim no. ${ledger.fence}, delivery ${ledger.deliveries}`);
    if (ledger.usedAt) tell('used', ledger.usedAt, 'once and for all');
    if (ledger.revokedAt) tell('revoked', ledger.revokedAt, 'taken back; `coupon-cli log` says by whom');
  }
  if (claim)
    tell('claimed', null, `no. ${claim.fence} by ${claim.worker}, ${claim.leaseUntil ? `until ${claim.leaseUntil}` : 'given back'}`);
  if (waiting) tell('waiting', null, `number ${waiting.position ?? '?'} in the queue`);
  if (dead !== null) tell('dead', null, dead);
  if (TOMBSTONE.test(userId)) tell('forgotten', null, 'a tombstone stands in the place of the user');
  return events.toSorted((a, b) => (a.at === b.at ? 0 : a.at === null ? 1 : b.at === null ? -1 : a.at < b.at ? -1 : 1));
}
