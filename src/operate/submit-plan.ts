/** Whose request is sent when. */
export interface SubmitPlan {
  users: number;
  requests: number;
  /** User id of the i-th request. */
  userOf(index: number): string;
}

/**
 * N distinct users, and N·P further requests by some of them. Who repeats is spread evenly over the users, and repeats are
 * spread evenly among the first requests, each after its user's first: the retry of an impatient user.
 *
 * Everything follows from the index, so that a plan of a billion requests takes no memory. With U users and R requests, the
 * first i requests hold ceil(i·U/R) first requests (Bresenham); the products stay exact up to 2^53, and where they do not, they
 * still rise one by one from 0 to U.
 *
 * @param users at least 1
 * @param repeats extra requests per user, 0.5 = half as many again; the sum is rounded
 */
export function submitPlan(users: number, repeats: number, userIdOf: (index: number) => string): SubmitPlan {
  const requests = users + Math.round(users * repeats);
  const firstsAmong = (count: number): number => Math.min(users, Math.ceil((count * users) / requests));
  return {
    users,
    requests,
    userOf(index) {
      const firsts = firstsAmong(index + 1);
      if (firsts > firstsAmong(index)) return userIdOf(firsts - 1);
      // The k-th repeat is by the user at the same share of those who already asked.
      const repeat = index + 1 - firsts;
      return userIdOf(Math.floor(((repeat - 1) * firsts) / repeat));
    },
  };
}
