/**
 * Ports of the stores: `stores/redis` and `stores/postgres` implement them. Every method may throw a CouponError of kind `unreachable`;
 * after that the effect of a write is unknown, and all writes here may be repeated.
 */
import type { AdmissionAnswer, AdmissionRequest } from '../admission.ts';

/** Takes requests. Shared by `serve` and `submit`. */
export interface Admission {
  /** Answers in the order of the requests. One call is one atomic step for up to 256 requests. */
  admit(couponId: string, requests: readonly AdmissionRequest[]): Promise<AdmissionAnswer[]>;
}
