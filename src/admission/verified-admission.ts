import { leavesOpen } from '../campaign/outcome.ts';
import type { LedgerReader } from '../campaign/ports/ledger.ts';
import type { AdmissionAnswer, AdmissionRequest } from '../campaign/admission.ts';
import type { Clock } from '../lib/clock.ts';
import { isOutage, isReplyLost } from '../lib/errors.ts';
import { retry } from '../lib/retry.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import type { Verification } from '../campaign/ports/verification.ts';
import { verifyAgainstLedger } from '../campaign/verify-coupon.ts';

export interface VerifiedAdmissionPorts {
  admission: Admission;
  verification: Verification;
  ledger: Pick<LedgerReader, 'coupon' | 'latestRequestUs'>;
  clock: Clock;
}

/** Before each further question after a lost reply: time for the link to come back (ioredis begins at about 50 ms). */
const ASK_AGAIN_MS = [0, 100, 200, 400];
/** After this long no further question is begun: the user may ask again, under the same id. */
const ASK_AGAIN_WITHIN_MS = 2_000;

/** A coupon that stays unavailable is looked at again this often, not once per request. */
const VERIFY_EVERY_MS = 1_000;

/**
 * Admission that looks after itself: when Redis says `unavailable` because it was restarted, the coupon is checked against the
 * ledger and the same requests are asked again, under their own ids. A lost reply is asked for again in the same way: whether it was
 * accepted is unknown, and the request id makes asking harmless. What Redis refused, or was never sent, is not.
 *
 * @throws CouponError of kind `unreachable` when Redis refuses, is away, or does not answer again either; see {@link isReplyLost}
 */
export function verifiedAdmission(ports: VerifiedAdmissionPorts): Admission {
  const checks = new Map<string, { at: number; result: Promise<boolean> }>();

  /** Whether the coupon may be served now; one check at a time for each coupon. */
  const check = (couponId: string): Promise<boolean> => {
    const last = checks.get(couponId);
    if (last && ports.clock.now() - last.at < VERIFY_EVERY_MS) return last.result;
    const result = verify(couponId);
    checks.set(couponId, { at: ports.clock.now(), result });
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

  /** `lost`: how an earlier try ended whose reply was lost; null: there was none. */
  const ask = async (couponId: string, requests: readonly AdmissionRequest[]): Promise<{ answers: AdmissionAnswer[]; lost: unknown }> => {
    let lost: unknown = null;
    try {
      const answers = await retry(
        async () => ports.admission.admit(couponId, requests),
        {
          retries: (error) => (lost === null ? isReplyLost(error) : isOutage(error)),
          delayMs: (count) => ASK_AGAIN_MS[count] ?? null,
          patienceMs: ASK_AGAIN_WITHIN_MS,
          failed: (error) => (lost ??= error),
        },
        ports.clock,
      );
      return { answers, lost };
    } catch (error) {
      // That nothing came of the later tries says nothing about the first.
      throw lost !== null && isOutage(error) ? lost : error;
    }
  };

  return {
    async admit(couponId, requests) {
      const { answers, ...first } = await ask(couponId, requests);
      let { lost } = first;
      const refused = answers.flatMap((answer, i) => (answer.outcome === 'unavailable' ? [i] : []));
      if (refused.length > 0 && (await check(couponId))) {
        try {
          const again = await ask(
            couponId,
            refused.map((i) => requests[i]!),
          );
          for (const [k, i] of refused.entries()) answers[i] = again.answers[k]!;
          lost ??= again.lost;
        } catch (error) {
          // Refused the first time and not even sent the second: `unavailable` is still the truth, and the others keep their answers.
          if (!isOutage(error) || isReplyLost(error)) throw error;
        }
      }
      // A Redis that lost what it decided, or does not decide now, cannot tell what became of the try whose reply was lost.
      if (lost !== null && answers.some(leavesOpen)) throw lost;
      return answers;
    },
  };
}
