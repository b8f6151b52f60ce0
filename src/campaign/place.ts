/**
 * Where an accepted user stands, from the first that holds: in the ledger, dead-lettered, leased to a worker, in the queue.
 * `admitted` is none of these: the user was accepted and is nowhere, which audit calls lost.
 */
export const PLACES = ['waiting', 'claimed', 'dead', 'issued', 'admitted'] as const;

export type Place = (typeof PLACES)[number];

/** What the place depends on; null: nothing of that kind. */
export interface Traces {
  admitted: unknown;
  waiting: number | null;
  leaseDeadlineMs: number | null;
  dead: string | null;
}

/**
 * @param issued the user has an issued coupon: a ledger row, or the issued hash where the ledger was not read
 * @returns null for a user who was never accepted
 */
export function placeOf(user: Traces, issued: boolean): Place | null {
  if (issued) return 'issued';
  if (user.dead !== null) return 'dead';
  if (user.leaseDeadlineMs !== null) return 'claimed';
  if (user.waiting !== null) return 'waiting';
  return user.admitted ? 'admitted' : null;
}
