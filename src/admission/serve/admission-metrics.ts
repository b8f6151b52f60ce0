import { isReplyLost } from '../../lib/errors.ts';
import { Counter, Gauge, Histogram, type CounterConfiguration, type Registry } from 'prom-client';
import type { Admission } from '../../campaign/ports/admission.ts';
import type { AdmissionOutcome } from '../../campaign/outcome.ts';
import { ambiguousCounter } from '../../http/store-metrics.ts';

/** Outcomes that may come without a look at the coupon. */
const OUTAGES: ReadonlySet<string> = new Set(['unavailable', 'unknown']);

/** Of one set of labels, since its counter was read. */
interface Tally {
  count: number;
}

/** A counter that takes over its tallies when it is read: prom-client hashes the labels at each count, for a hundredth of a request. */
class TalliedCounter<L extends string> {
  readonly #tallies: (Tally & { labels: string[] })[] = [];

  constructor(configuration: CounterConfiguration<L>) {
    const counter = new Counter({
      ...configuration,
      collect: () => {
        for (const tally of this.#tallies) {
          if (tally.count > 0) counter.labels(...tally.labels).inc(tally.count);
          tally.count = 0;
        }
      },
    });
  }

  /** @param labels in the order of their names; asked for once, and kept */
  tally(...labels: string[]): Tally {
    const tally = { labels, count: 0 };
    this.#tallies.push(tally);
    return tally;
  }
}

/** What the endpoint counts: admissions. As everywhere, the coupon label only ever holds a coupon that exists. */
export class AdmissionMetrics {
  readonly #admissions: TalliedCounter<'coupon' | 'result'>;
  readonly #fromMemory: TalliedCounter<'coupon'>;
  readonly #ambiguous: Counter<'op'>;
  readonly #batchSize: Histogram;
  readonly #batchSeconds: Histogram;
  readonly #outcomesOf = new Map<string, Map<string, Tally>>();
  readonly #fromMemoryOf = new Map<string, Tally>();

  constructor(registry: Registry, backlog: { readonly pending: number }) {
    const own = (name: string, help: string) => ({ name, help, registers: [registry] });
    this.#admissions = new TalliedCounter({ ...own('coupon_admissions_total', 'Requests by outcome'), labelNames: ['coupon', 'result'] });
    this.#fromMemory = new TalliedCounter({
      ...own('coupon_refusals_from_memory_total', 'Refusals for which Redis was not asked'),
      labelNames: ['coupon'],
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
    let tally = outcomes.get(outcome);
    if (!tally) outcomes.set(outcome, (tally = this.#admissions.tally(label, outcome)));
    tally.count += 1;
  }

  /** A refusal that Redis was not asked for; it counts as an admission too. */
  fromMemory(couponId: string, outcome: AdmissionOutcome): void {
    let tally = this.#fromMemoryOf.get(couponId);
    if (!tally) this.#fromMemoryOf.set(couponId, (tally = this.#fromMemory.tally(couponId)));
    tally.count += 1;
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
