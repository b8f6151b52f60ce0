import { chunked } from '../lib/chunked.ts';
import { ADMISSION_BATCH, type AdmissionAnswer, type AdmissionRequest } from '../campaign/admission.ts';
import type { Admission } from '../campaign/ports/admission.ts';

interface Waiting {
  request: AdmissionRequest;
  resolve: (answer: AdmissionAnswer) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers the requests that arrive in one turn of the event loop into one admission batch per coupon, in order of arrival.
 * Under load that is what makes one script run out of hundreds; alone, a request waits for nothing but the end of the turn.
 */
export class AdmissionBatcher {
  readonly #admission: Admission;
  readonly #maxBatch: number;
  readonly #batches = new Map<string, Waiting[]>();

  /** @param maxBatch requests in one call; more make several calls, which do not wait for each other */
  constructor(admission: Admission, maxBatch = ADMISSION_BATCH) {
    this.#admission = admission;
    this.#maxBatch = maxBatch;
  }

  admit(couponId: string, request: AdmissionRequest): Promise<AdmissionAnswer> {
    return new Promise((resolve, reject) => {
      let batch = this.#batches.get(couponId);
      if (!batch) {
        // setImmediate runs after all sockets of this turn were read.
        if (this.#batches.size === 0) setImmediate(() => this.#flush());
        batch = [];
        this.#batches.set(couponId, batch);
      }
      batch.push({ request, resolve, reject });
    });
  }

  #flush(): void {
    const batches = [...this.#batches];
    this.#batches.clear();
    for (const [couponId, batch] of batches) {
      for (const chunk of chunked(batch, this.#maxBatch)) void this.#send(couponId, chunk);
    }
  }

  async #send(couponId: string, batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#admission.admit(
        couponId,
        batch.map((entry) => entry.request),
      );
      for (const [i, entry] of batch.entries()) entry.resolve(answers[i]!);
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    }
  }
}
