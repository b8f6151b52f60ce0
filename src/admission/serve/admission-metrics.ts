import { isReplyLost } from '../../lib/errors.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Admission } from '../../campaign/ports/admission.ts';
import type { AdmissionOutcome } from '../../campaign/outcome.ts';
import { ambiguousCounter } from '../../http/store-metrics.ts';

/** Outcomes that may come without a look at the coupon. */
const OUTAGES: ReadonlySet<string> = new Set(['unavailable', 'unknown']);

/** What the endpoint counts: admissions. As everywhere, the coupon label only ever holds a coupon that exists. */
export class AdmissionMetrics {
  readonly #ambiguous: Counter<'op'>;
  readonly #batchSize: Histogram;
  readonly #batchSeconds: Histogram;
  /** Plain numbers, copied to the counters when those are read: to count there, prom-client hashes the labels each time. */
  readonly #outcomesOf = new Map<string, Map<string, number>>();
  readonly #fromMemoryOf = new Map<string, number>();

  constructor(registry: Registry, backlog: { readonly pending: number }) {
    const own = (name: string, help: string) => ({ name, help, registers: [registry] });
    const admissions: Counter = new Counter({
      ...own('coupon_admissions_total', 'Requests by outcome'),
      labelNames: ['coupon', 'result'],
      collect: () => {
        admissions.reset();
        for (const [coupon, outcomes] of this.#outcomesOf)
          for (const [result, count] of outcomes) admissions.inc({ coupon, result }, count);
      },
    });
    const fromMemory: Counter = new Counter({
      ...own('coupon_refusals_from_memory_total', 'Refusals for which Redis was not asked'),
      labelNames: ['coupon'],
      collect: () => {
        fromMemory.reset();
        for (const [coupon, count] of this.#fromMemoryOf) fromMemory.inc({ coupon }, count);
      },
    });
    const pending: Gauge = new Gauge({
      ...own('coupon_requests_pending', 'Requests without an answer yet'),
      collect: () => pending.set(backlog.pending),
    });
    this.#ambiguous = ambiguousCounter(registry);
    this.#batchSize = new Histogram({
      ...own('coupon_admission_batch_size', 'Requests in one admission batch'),
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    });
    this.#batchSeconds = new Histogram({
      ...own('coupon_admission_batch_seconds', 'Time of one admission batch, retries included'),
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    });
  }

  /** @param couponId as asked for; it becomes a label only if the outcome shows that it exists */
  admission(couponId: string, outcome: AdmissionOutcome | 'unknown'): void {
    const label = outcome === 'unknown_coupon' || (OUTAGES.has(outcome) && !this.#outcomesOf.has(couponId)) ? '' : couponId;
    let outcomes = this.#outcomesOf.get(label);
    if (!outcomes) this.#outcomesOf.set(label, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** A refusal that Redis was not asked for; it counts as an admission too. */
  fromMemory(couponId: string, outcome: AdmissionOutcome): void {
    this.#fromMemoryOf.set(couponId, (this.#fromMemoryOf.get(couponId) ?? 0) + 1);
    this.admission(couponId, outcome);
  }

  /** The same admission, measured. */
  measured(admission: Admission): Admission {
    return {
      admit: async (couponId, requests) => {
        this.#batchSize.observe(requests.length);
        const end = this.#batchSeconds.startTimer();
        try {
          return await admission.admit(couponId, requests);
        } catch (error) {
          if (isReplyLost(error)) this.#ambiguous.labels('admit').inc(requests.length);
          throw error;
        } finally {
          end();
        }
      },
    };
  }
}
