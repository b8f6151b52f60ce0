import type { Admission } from '../../campaign/ports/admission.ts';
import { CouponError } from '../../lib/errors.ts';
import type { RedisConnection } from './connection.ts';
import { redisWriteError } from './errors.ts';
import { couponKeys, type KeyStyle } from './keys.ts';

/** Long for a replica that keeps up, short for a user. */
const WAIT_MS = 1_000;

/**
 * Answers only once a replica has what they say: when the primary is lost, a failover to that replica loses nobody who was told. WAIT
 * covers everything that the server did before it, so that one serves a whole batch, and also an answer that repeats an earlier one.
 *
 * A batch that no replica confirmed in time may have been accepted: its answers are unknown, and are asked for again under the same ids.
 */
export function confirmedAdmission(admission: Admission, connection: RedisConnection, style: KeyStyle): Admission {
  return {
    async admit(couponId, requests) {
      const answers = await admission.admit(couponId, requests);
      let confirmed: number;
      try {
        confirmed = await connection.serverOf(couponKeys(couponId, style).coupon).wait(1, WAIT_MS);
      } catch (error) {
        throw redisWriteError(error, connection.url);
      }
      if (confirmed >= 1) return answers;
      throw new CouponError({
        code: 'REPLICA_UNCONFIRMED',
        kind: 'unreachable',
        message: `no replica confirmed within ${WAIT_MS} ms what Redis answered`,
        fix: 'Look at the replicas (INFO replication). Whether the request took effect is unknown; ask again under the same request id.',
      });
    },
  };
}
