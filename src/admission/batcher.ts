import { ADMISSION_BATCH, type AdmissionAnswer, type AdmissionRequest } from '../campaign/admission.ts';
import type { Admission } from '../campaign/ports/admission.ts';
import { chunked } from '../lib/chunked.ts';
import { overloaded } from './backlog.ts';

interface Waiting {
  request: AdmissionRequest;
  /** When it came; monotonic milliseconds. */
  sinceMs: number;
  resolve: (answer: AdmissionAnswer) => void;
  reject: (error: unknown) => void;
}

interface Coupon {
  waiting: Waiting[];
  /** Batches that are sent and have no answer. */
  underWay: number;
}

/** A request that waited so long for its turn is given up, so that what Redis then takes comes on top of a known time. */
const WAIT_MS = 1_000;
/** How often those that wait are looked at. */
const SWEEP_MS = 100;

/**
 * Batches of a coupon: while Redis writes one to its disk, the next waits for it there, and the answers of the one before are written here.
 * With fewer, one side waits for the other; with more, the batches become small.
 */
const BATCHES_UNDER_WAY = 3;

/** So many are sent before the end of the turn: Redis decides on them while the sockets behind them are still read. */
const WORTH_SENDING = 32;

/** Of all coupons together: four full batches, one more than a coupon can have under way. */
export const MAX_IN_FLIGHT = 1_024;

/**
 * Gathers requests into admission batches, in order of arrival. What arrives while three batches of its coupon are under way goes in
 * the next one: the busier Redis is, the larger and cheaper the batches become. Alone, a request waits for nothing but the end of the turn,
 * and 32 of one coupon not even for that.
 *
 * Behind a Redis that does not answer the others wait a second, and are then refused: they were not sent.
 */
export class AdmissionBatcher {
  readonly #admission: Admission;
  readonly #maxInFlight: number;
  readonly #coupons = new Map<string, Coupon>();
  #inFlight = 0;
  #flushing = false;
  #sweep: NodeJS.Timeout | null = null;

  /** @param maxInFlight requests that are sent and have no answer */
  constructor(admission: Admission, maxInFlight = MAX_IN_FLIGHT) {
    this.#admission = admission;
    this.#maxInFlight = maxInFlight;
  }

  /** @throws CouponError `OVERLOADED` when the turn of the request did not come in time; it was not sent */
  admit(couponId: string, request: AdmissionRequest): Promise<AdmissionAnswer> {
    return new Promise((resolve, reject) => {
      let coupon = this.#coupons.get(couponId);
      if (!coupon) this.#coupons.set(couponId, (coupon = { waiting: [], underWay: 0 }));
      coupon.waiting.push({ request, sinceMs: performance.now(), resolve, reject });
      if (coupon.waiting.length >= WORTH_SENDING && coupon.underWay < BATCHES_UNDER_WAY) this.#flush(couponId, coupon);
      else this.#scheduleFlush();
    });
  }

  /** setImmediate runs after all sockets of this turn were read. */
  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const [couponId, coupon] of Array.from(this.#coupons)) this.#flush(couponId, coupon);
    });
  }

  /** All that waits for a coupon, in as many batches as that takes; then it is the turn of the others. */
  #flush(couponId: string, coupon: Coupon): void {
    if (coupon.waiting.length === 0) {
      if (coupon.underWay === 0) this.#coupons.delete(couponId);
      return;
    }
    const room = coupon.underWay >= BATCHES_UNDER_WAY ? 0 : this.#maxInFlight - this.#inFlight;
    if (room > 0) {
      this.#coupons.delete(couponId);
      this.#coupons.set(couponId, coupon);
      for (const batch of chunked(coupon.waiting.splice(0, room), ADMISSION_BATCH)) void this.#send(couponId, coupon, batch);
    }
    if (coupon.waiting.length > 0 && this.#sweep === null) this.#sweep = setTimeout(() => this.#giveUpOld(), SWEEP_MS);
  }

  async #send(couponId: string, coupon: Coupon, batch: readonly Waiting[]): Promise<void> {
    coupon.underWay += 1;
    this.#inFlight += batch.length;
    let settle: (entry: Waiting, index: number) => void;
    try {
      const answers = await this.#admission.admit(
        couponId,
        batch.map((entry) => entry.request),
      );
      settle = ({ resolve }, index) => resolve(answers[index]!);
    } catch (error) {
      settle = ({ reject }) => reject(error);
    }
    coupon.underWay -= 1;
    this.#inFlight -= batch.length;
    // Before the replies are written, so that Redis works meanwhile.
    if (this.#coupons.size > 1) this.#scheduleFlush();
    else this.#flush(couponId, coupon);
    batch.forEach(settle);
  }

  #giveUpOld(): void {
    this.#sweep = null;
    const bornMs = performance.now() - WAIT_MS;
    let waits = false;
    for (const { waiting } of this.#coupons.values()) {
      const young = waiting.findIndex(({ sinceMs }) => sinceMs > bornMs);
      const old = waiting.splice(0, young < 0 ? waiting.length : young);
      for (const { reject } of old) reject(overloaded('Redis does not answer as fast as requests come'));
      waits ||= waiting.length > 0;
    }
    if (waits) this.#sweep = setTimeout(() => this.#giveUpOld(), SWEEP_MS);
  }
}
