import type { Admission } from '../campaign/ports/admission.ts';
import type { AdmissionAnswer } from '../campaign/admission.ts';
import type { RedisConnection } from '../stores/redis/connection/connection.ts';
import { couponKeys, type KeyStyle } from '../stores/redis/keys/keys.ts';

/**
 * FOR COMPARISON ONLY: the naive way. Three commands one after the other, each atomic by
 * itself, and nothing that holds them together:
 *
 * 1. `EXISTS issued_coupon:…`: has the user been issued one already?
 * 2. `HINCRBY coupon:… stock -1`: a result below zero means sold out. Nothing gives the decrement back.
 * 3. `ZADD coupon_waiting_queue:… NX`: into the queue; then the answer is "accepted".
 *
 * What comes of it, and what `bench` catches: a user who still waits is not issued yet, so a repeat passes step 1, spends
 * another coupon from the stock, and adds nothing in step 3, while the answer is "accepted" once more. That stock is gone although
 * nobody has it, later users are refused too early, and the counter falls below zero with every further request. Whoever
 * dies between 2 and 3 leaks a coupon as well. The score is a time in milliseconds, so ties are broken by user id.
 *
 * There is no look at the request window, at `suspect`, or at whether there is such a coupon at all (HINCRBY makes one up).
 *
 * @returns answers `accepted`, `duplicate` or `sold_out`; errors are those of our own admission
 */
export function threeCallsAdmission(connection: RedisConnection, style: KeyStyle, nowMs: () => number): Admission {
  const { client } = connection;

  const one = async (couponId: string, userId: string): Promise<AdmissionAnswer> => {
    const keys = couponKeys(couponId, style);
    const requestedMs = nowMs();
    if ((await client.exists(keys.issued(userId))) === 1) return { outcome: 'duplicate', place: 'issued' };
    if ((await client.hincrby(keys.coupon, 'stock', -1)) < 0) return { outcome: 'sold_out' };
    await client.zadd(keys.queue, 'NX', requestedMs, userId);
    return { outcome: 'accepted', place: 'waiting', firstRequestUs: requestedMs * 1_000 };
  };

  return {
    async admit(couponId, requests) {
      try {
        return await Promise.all(requests.map(({ userId }) => one(couponId, userId)));
      } catch (error) {
        throw connection.explainWrite(error);
      }
    },
  };
}
