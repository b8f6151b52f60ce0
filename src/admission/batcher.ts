import { ADMISSION_BATCH, type AdmissionAnswer, type AdmissionRequest } from '../campaign/admission.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import { overloaded } from './backlog.ts';

interface Waiting {
  request: AdmissionRequest;
  /** When it came; monotonic milliseconds. */
  sinceMs: number;
  resolve: (answer: AdmissionAnswer) => void;
  reject: (error: unknown) => void;
}

/** A request that waited so long for its turn is given up, so that what Redis then takes comes on top of a known time. */
const WAIT_MS = 1_000;

export interface BatcherOptions {
  /** Requests in one call. */
  maxBatch?: number;
  /** Requests that are sent and have no answer. More wait, and are sent in their order as answers come. */
  maxInFlight?: number | undefined;
}

/** Well above what a Redis that is well has under way: 100 connections have about 60, 2,000 about 700. */
export const MAX_IN_FLIGHT = 1_024;

/**
 * Gathers the requests that arrive in one turn of the event loop into one admission batch per coupon, in order of arrival.
 * Under load that is what makes one script run out of hundreds; alone, a request waits for nothing but the end of the turn.
 *
 * At most so many requests are under way. Behind a Redis that does not answer the others wait a second, and are then refused.
 */
export class AdmissionBatcher {
  readonly #admission: Admission;
  readonly #maxBatch: number;
  readonly #maxInFlight: number;
  readonly #coupons = new Map<string, Waiting[]>();
  #inFlight = 0;
  #flushing = false;
  #sweep: NodeJS.Timeout | null = null;

  constructor(admission: Admission, { maxBatch = ADMISSION_BATCH, maxInFlight = MAX_IN_FLIGHT }: BatcherOptions = {}) {
    this.#admission = admission;
    this.#maxBatch = maxBatch;
    this.#maxInFlight = maxInFlight;
  }

  /** @throws CouponError `OVERLOADED` when the turn of the request did not come in time; it was not sent */
  admit(couponId: string, request: AdmissionRequest): Promise<AdmissionAnswer> {
    return new Promise((resolve, reject) => {
      const waiting = this.#coupons.get(couponId);
      const one = { request, sinceMs: performance.now(), resolve, reject };
      if (waiting) waiting.push(one);
      else this.#coupons.set(couponId, [one]);
      this.#schedule();
    });
  }

  /** setImmediate runs after all sockets of this turn were read. */
  #schedule(): void {
    if (this.#flushing || this.#coupons.size === 0) return;
    if (this.#inFlight >= this.#maxInFlight) {
      this.#sweep ??= setTimeout(() => this.#giveUpOld(), WAIT_MS);
      return;
    }
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Coupon by coupon, a batch each in turn. */
  #flush(): void {
    for (const [couponId, waiting] of this.#coupons) {
      const room = this.#maxInFlight - this.#inFlight;
      if (room <= 0) break;
      const batch = waiting.splice(0, Math.min(room, this.#maxBatch));
      this.#coupons.delete(couponId);
      // A coupon that is set anew comes last in the order of this very loop.
      if (waiting.length > 0) this.#coupons.set(couponId, waiting);
      void this.#send(couponId, batch);
    }
    this.#schedule();
  }

  async #send(couponId: string, batch: readonly Waiting[]): Promise<void> {
    this.#inFlight += batch.length;
    try {
      const answers = await this.#admission.admit(
        couponId,
        batch.map((entry) => entry.request),
      );
      for (let i = 0; i < batch.length; i += 1) batch[i]!.resolve(answers[i]!);
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    } finally {
      this.#inFlight -= batch.length;
      this.#schedule();
    }
  }

  #giveUpOld(): void {
    this.#sweep = null;
    const bornMs = performance.now() - WAIT_MS;
    for (const [couponId, waiting] of this.#coupons) {
      const young = waiting.findIndex(({ sinceMs }) => sinceMs > bornMs);
      const old = waiting.splice(0, young < 0 ? waiting.length : young);
      for (const { reject } of old) reject(overloaded('Redis does not answer as fast as requests come'));
      if (waiting.length === 0) this.#coupons.delete(couponId);
    }
    // Not at once: one of the remaining may be only a moment younger.
    if (this.#coupons.size > 0) this.#sweep = setTimeout(() => this.#giveUpOld(), WAIT_MS / 10);
  }
}
