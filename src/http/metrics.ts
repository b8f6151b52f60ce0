import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CouponDirectory } from '../app/coupon-directory.ts';
import type { Admission, RedisReader } from '../app/ports.ts';
import { isReplyLost } from '../app/verified-admission.ts';
import { scoreToMicros } from '../core/coupon.ts';
import type { AdmissionOutcome } from '../core/outcome.ts';

export interface MetricsPorts {
  reader: Pick<RedisReader, 'coupon' | 'now'>;
  directory: CouponDirectory;
}

/** Outcomes that may come without a look at the coupon. */
const OUTAGES: ReadonlySet<string> = new Set(['unavailable', 'unknown']);

/**
 * What the endpoint counts, and what it reads from the stores when it is scraped. There is no label for users, and the coupon
 * label only ever holds a coupon that exists: strangers cannot make up time series.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #ports: MetricsPorts;
  readonly #admissions: Counter<'coupon' | 'result'>;
  readonly #ambiguous: Counter<'op'>;
  readonly #batchSize: Histogram;
  readonly #batchSeconds: Histogram;
  readonly #depth: Gauge<'coupon' | 'state'>;
  readonly #oldest: Gauge<'coupon'>;
  readonly #stock: Gauge<'coupon'>;
  readonly #issued: Counter<'coupon'>;
  readonly #up: Gauge<'store'>;
  /** Looking a label set up by its hash costs more than the rest of the count; so each is looked up once. */
  readonly #children = new Map<string, Map<string, { inc(): void }>>();
  #reading: Promise<void> | null = null;

  constructor(ports: MetricsPorts) {
    this.#ports = ports;
    const registers = [this.registry];
    const own = (name: string, help: string) => ({ name, help, registers });
    this.#admissions = new Counter({ ...own('coupon_admissions_total', 'Requests by outcome'), labelNames: ['coupon', 'result'] });
    this.#ambiguous = new Counter({ ...own('coupon_ambiguous_total', 'Store calls whose effect is unknown'), labelNames: ['op'] });
    this.#batchSize = new Histogram({
      ...own('coupon_admission_batch_size', 'Requests in one admission batch'),
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    });
    this.#batchSeconds = new Histogram({
      ...own('coupon_admission_batch_seconds', 'Time that Redis took for one admission batch'),
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    });
    this.#depth = new Gauge({ ...own('coupon_queue_depth', 'Accepted users by place'), labelNames: ['coupon', 'state'] });
    this.#oldest = new Gauge({
      ...own('coupon_queue_oldest_age_seconds', 'How long the first in the queue has waited'),
      labelNames: ['coupon'],
    });
    this.#stock = new Gauge({ ...own('coupon_stock_remaining', 'Coupons that may still be accepted'), labelNames: ['coupon'] });
    this.#issued = new Counter({ ...own('coupon_issued_total', 'Coupons issued, from the ledger'), labelNames: ['coupon'] });
    this.#up = new Gauge({ ...own('coupon_store_up', 'Whether the store answered this scrape'), labelNames: ['store'] });
    collectDefaultMetrics({ register: this.registry });
  }

  /** @param couponId as asked for; it becomes a label only if the outcome shows that it exists */
  admission(couponId: string, outcome: AdmissionOutcome | 'unknown'): void {
    const label = outcome === 'unknown_coupon' || (OUTAGES.has(outcome) && !this.#children.has(couponId)) ? '' : couponId;
    let children = this.#children.get(label);
    if (!children) this.#children.set(label, (children = new Map()));
    let child = children.get(outcome);
    if (!child) children.set(outcome, (child = this.#admissions.labels(label, outcome)));
    child.inc();
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

  /** The text that Prometheus scrapes. Stores that are away leave gaps, not an error: the process's own counts still matter. */
  async text(): Promise<string> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    await this.#reading;
    return this.registry.metrics();
  }

  async #read(): Promise<void> {
    const { reader, directory } = this.#ports;
    for (const metric of [this.#depth, this.#oldest, this.#stock, this.#issued]) metric.reset();
    const [coupons, nowMs] = await Promise.all([this.#ask('ledger', directory.all()), this.#ask('redis', reader.now())]);
    for (const { id, issuedQuantity } of coupons ?? []) {
      this.#issued.labels(id).inc(issuedQuantity);
      const coupon = nowMs === null ? null : await this.#ask('redis', reader.coupon(id));
      if (!coupon || nowMs === null) continue;
      for (const state of ['waiting', 'claimed', 'dead'] as const) this.#depth.labels(id, state).set(coupon[state]);
      if (coupon.stock !== null) this.#stock.labels(id).set(coupon.stock);
      const waitedSince = coupon.oldestScore === null ? nowMs : scoreToMicros(coupon.oldestScore) / 1_000;
      this.#oldest.labels(id).set(Math.max(0, (nowMs - waitedSince) / 1_000));
    }
  }

  async #ask<T>(store: 'redis' | 'ledger', question: Promise<T>): Promise<T | null> {
    try {
      const answer = await question;
      this.#up.labels(store).set(1);
      return answer;
    } catch {
      this.#up.labels(store).set(0);
      return null;
    }
  }
}
