/**
 * What a lost primary does not take along. WAIT covers everything that its connection wrote before, so one serves a whole batch, and also an
 * answer that repeats an earlier one.
 */
import type { Admission } from '../../campaign/ports/admission.ts';
import type { ClaimQueue } from '../../drain/ports.ts';
import { CouponError } from '../../lib/errors.ts';
import { visible } from '../../lib/text/visible.ts';
import type { RedisConnection } from './connection/connection.ts';
import { couponKeys, type KeyStyle } from './keys/keys.ts';

/** Long for a replica that keeps up, short for a user. */
const WAIT_MS = 1_000;

/**
 * Answers only once a replica has what they say: a failover to that replica loses nobody who was told. A batch that no replica confirmed in
 * time may have been accepted: its answers are unknown, and are asked for again under the same ids.
 */
export function confirmedAdmission(admission: Admission, connection: RedisConnection, style: KeyStyle): Admission {
  return {
    admit: (couponId, requests) =>
      confirmed(connection, couponKeys(couponId, style).coupon, async () => await admission.admit(couponId, requests)),
  };
}

/**
 * Nobody is issued whose claim could be lost: after a failover Redis would be behind the ledger, and the coupon would stand still until
 * somebody repairs it. Claims without confirmation run out with their lease.
 */
export function confirmedClaims(claims: ClaimQueue, connection: RedisConnection, style: KeyStyle): ClaimQueue {
  return {
    ...claims,
    claim: (couponId, options) =>
      confirmed(connection, couponKeys(couponId, style).coupon, async () => await claims.claim(couponId, options)),
  };
}

/**
 * Whatever goes wrong once the work is done leaves open what became of it.
 *
 * @throws CouponError `REPLICA_UNCONFIRMED`, and what the work throws
 */
async function confirmed<T>(connection: RedisConnection, key: string, work: () => Promise<T>): Promise<T> {
  const server = connection.serverOf(key);
  const result = await work();
  let count: number;
  try {
    // A server that has replaced another one knows nothing of what we wrote there.
    if (connection.serverOf(key) !== server) throw new Error('the coupon has gone to another server meanwhile');
    [count] = await Promise.all([
      server.wait(1, WAIT_MS),
      // While a slot moves, a script may have been sent on to where the keys have gone: then this is refused.
      connection.isCluster ? server.exists(`${connection.prefix}${key}`) : 1,
    ]);
  } catch (error) {
    throw unconfirmed(visible((error as Error).message));
  }
  if (count < 1) throw unconfirmed(`none did within ${WAIT_MS} ms`);
  return result;
}

function unconfirmed(why: string): CouponError {
  return new CouponError({
    code: 'REPLICA_UNCONFIRMED',
    kind: 'unreachable',
    message: 'no replica confirmed what Redis answered',
    why,
    fix: 'Look at the replicas (INFO replication). Whether the request took effect is unknown; ask again under the same request id.',
  });
}
