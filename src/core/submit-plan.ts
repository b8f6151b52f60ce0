/** Whose request is sent when. */
export interface SubmitPlan {
  users: number;
  requests: number;
  /** User id of the i-th request. */
  userOf(index: number): string;
}

/**
 * N distinct users, and N·P further requests by some of them. Who repeats is spread evenly over the users, and repeats are
 * spread evenly among the first requests, each after its user's first: the retry of somebody impatient.
 *
 * @param repeats extra requests per user, 0.5 = half as many again
 */
export function submitPlan(users: number, repeats: number, userIdOf: (index: number) => string): SubmitPlan {
  const extra = Math.round(users * repeats);
  const requests = users + extra;
  return {
    users,
    requests,
    userOf(index) {
      // Of the first index + 1 requests, this many are repeats (Bresenham: no array of a million entries is needed).
      const repeatsSoFar = Math.floor(((index + 1) * extra) / requests);
      const isRepeat = repeatsSoFar > Math.floor((index * extra) / requests);
      const firstsSoFar = index + 1 - repeatsSoFar;
      // The very first request is never a repeat, because there are always fewer repeats than requests.
      if (!isRepeat) return userIdOf(firstsSoFar - 1);
      // The k-th repeat is by the user at the same share of those who already asked.
      return userIdOf(Math.floor(((repeatsSoFar - 1) * firstsSoFar) / repeatsSoFar));
    },
  };
}
