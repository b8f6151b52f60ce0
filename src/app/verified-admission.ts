import type { AdmissionAnswer, AdmissionRequest } from '../core/admission.ts';
import { CouponError } from '../core/errors.ts';
import { isOutage } from './drain.ts';
import type { Admission, Ledger, Verification } from './ports.ts';
import { verifyAgainstLedger } from './verify-coupon.ts';

export interface VerifiedAdmissionPorts {
  admission: Admission;
  verification: Verification;
  ledger: Pick<Ledger, 'coupon'>;
  /** Milliseconds, monotonic. */
  now: () => number;
}

/** A coupon that stays unavailable is looked at again this often, not once per request. */
const VERIFY_EVERY_MS = 1_000;

const REPLY_LOST = new Set(['REDIS_REPLY_LOST', 'LEDGER_REPLY_LOST']);

/** The request may have been accepted: it was sent, and its answer was lost. Any other outage left nothing behind. */
export function isReplyLost(error: unknown): boolean {
  return error instanceof CouponError && REPLY_LOST.has(error.code);
}

/**
 * Admission that looks after itself: when Redis says `unavailable` because it was restarted, the coupon is checked against the
 * ledger and the same requests are asked again, under their own ids. A lost reply is asked for again once in the same way:
 * whether it was accepted is unknown, and the request id makes asking harmless.
 *
 * @throws CouponError of kind `unreachable` when Redis does not answer the second time either; see {@link isReplyLost}
 */
export function verifiedAdmission(ports: VerifiedAdmissionPorts): Admission {
  const checks = new Map<string, { at: number; result: Promise<boolean> }>();

  /** Whether the coupon may be served now; one check at a time for each coupon. */
  const check = (couponId: string): Promise<boolean> => {
    const last = checks.get(couponId);
    if (last && ports.now() - last.at < VERIFY_EVERY_MS) return last.result;
    const result = verify(couponId);
    checks.set(couponId, { at: ports.now(), result });
    return result;
  };

  const verify = async (couponId: string): Promise<boolean> => {
    try {
      const coupon = await ports.ledger.coupon(couponId);
      return coupon?.state === 'ready' && (await verifyAgainstLedger(ports, coupon)).status === 'ok';
    } catch (error) {
      // Without the ledger nothing can be verified; the coupon stays unavailable, which is the answer.
      if (isOutage(error)) return false;
      throw error;
    }
  };

  const ask = async (couponId: string, requests: readonly AdmissionRequest[]): Promise<AdmissionAnswer[]> => {
    try {
      return await ports.admission.admit(couponId, requests);
    } catch (error) {
      if (!isOutage(error)) throw error;
      try {
        return await ports.admission.admit(couponId, requests);
      } catch (second) {
        // That nothing came of the second time says nothing about the first.
        throw isReplyLost(error) ? error : second;
      }
    }
  };

  return {
    async admit(couponId, requests) {
      const answers = await ask(couponId, requests);
      const refused = answers.flatMap((answer, i) => (answer.outcome === 'unavailable' ? [i] : []));
      if (refused.length === 0 || !(await check(couponId))) return answers;
      try {
        const again = await ask(
          couponId,
          refused.map((i) => requests[i]!),
        );
        for (const [k, i] of refused.entries()) answers[i] = again[k]!;
      } catch (error) {
        // Refused the first time and not even sent the second: `unavailable` is still the truth, and the others keep their answers.
        if (!isOutage(error) || isReplyLost(error)) throw error;
      }
      return answers;
    },
  };
}
