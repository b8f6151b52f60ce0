import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { RedisHealth } from '../campaign/ports/health.ts';
import type { LedgerCoupon } from '../campaign/ports/ledger.ts';
import { AHEAD_MS, type QueueTimes, type RedisCoupon, type RedisReader } from '../campaign/ports/redis-reader.ts';
import { cached } from '../lib/cached.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import { isCouponFault } from '../campaign/wrong-type.ts';

export interface StoreMetricsPorts {
  reader: Pick<RedisReader, 'coupon' | 'queueTimes' | 'now'>;
  redisHealth: Pick<RedisHealth, 'fsyncAlways'>;
  /** Of the ledger. */
  coupons: () => Promise<readonly LedgerCoupon[]>;
  /** Coupons of another one lie under keys that we do not look at. */
  keyStyle: string;
}

/** Prometheus waits 10 s for a scrape unless told otherwise; one store that went silent must not cost the other's figures. */
const PATIENCE_MS = 3_000;

/** Or not at all. */
const LATE = Symbol('late');

/**
 * A registry with what both stores say whenever it is scraped, and the process itself; `serve` and `drain` add what they count.
 * There is no label for users, and the coupon label only ever holds a coupon of the ledger: strangers cannot make up time series.
 */
export class StoreMetrics {
  readonly registry = new Registry();
  readonly #ports: StoreMetricsPorts;
  readonly #depth: Gauge<'coupon' | 'state'>;
  readonly #oldest: Gauge<'coupon'>;
  readonly #stock: Gauge<'coupon'>;
  readonly #suspect: Gauge<'coupon'>;
  readonly #issued: Counter<'coupon'>;
  readonly #unreadable: Gauge<'coupon'>;
  readonly #unknownSince = new Map<string, number>();
  readonly #up: Gauge<'store'>;
  readonly #fsyncAlways: Gauge;
  /** However many ask, the stores are looked at once a second. */
  readonly #collect = cached(
    () => this.#read(),
    () => performance.now(),
  );

  constructor(ports: StoreMetricsPorts) {
    this.#ports = ports;
    // All are collected at one time, so that all wait for the same look at the stores. Of several processes one speaks for all.
    const collect = (): Promise<void> => this.#collect();
    const own = (name: string, help: string) => ({ name, help, registers: [this.registry], aggregator: 'first' as const, collect });
    const ofCoupon = (name: string, help: string) => ({ ...own(name, help), labelNames: ['coupon'] as const });
    this.#depth = new Gauge({ ...own('coupon_queue_depth', 'Accepted users by place'), labelNames: ['coupon', 'state'] });
    this.#oldest = new Gauge(ofCoupon('coupon_queue_oldest_age_seconds', 'How long the first in the queue has waited'));
    this.#unreadable = new Gauge(ofCoupon('coupon_queue_unreadable_times', 'Waiting users whose score is no time, or lies in the future'));
    this.#stock = new Gauge(ofCoupon('coupon_stock_remaining', 'Coupons that may still be accepted'));
    this.#suspect = new Gauge(ofCoupon('coupon_suspect', '1: out of service, because Redis and the ledger disagree about it'));
    this.#issued = new Counter(ofCoupon('coupon_issued_total', 'Coupons issued, from the ledger'));
    this.#up = new Gauge({ ...own('coupon_store_up', 'Whether the store answered this scrape'), labelNames: ['store'] });
    this.#fsyncAlways = new Gauge(
      own('coupon_redis_fsync_always', '1: what Redis accepted is on its disk; absent where it cannot be asked'),
    );
    collectDefaultMetrics({ register: this.registry });
    // Which Node runs here is no business of strangers.
    this.registry.removeSingleMetric('nodejs_version_info');
  }

  /** Stores that are away leave gaps, not an error: the process's own counts still matter. */
  async #read(): Promise<void> {
    const { reader, redisHealth } = this.#ports;
    for (const store of ['redis', 'ledger'] as const) this.#up.labels(store).set(1);
    const [coupons = [], nowMs, fsyncAlways = null] = await Promise.all([
      this.#ask('ledger', this.#ports.coupons()),
      this.#ask('redis', reader.now()),
      this.#ask('redis', redisHealth.fsyncAlways()),
    ]);
    for (const metric of [this.#depth, this.#oldest, this.#unreadable, this.#stock, this.#suspect, this.#issued]) metric.reset();
    if (fsyncAlways === null) this.#fsyncAlways.remove();
    else this.#fsyncAlways.set(fsyncAlways ? 1 : 0);
    for (const { id, issuedQuantity } of coupons) this.#issued.labels(id).inc(issuedQuantity);
    // All at once: over one connection that costs one wait, not one for each coupon.
    if (nowMs !== undefined) await Promise.all(coupons.map((coupon) => this.#readQueue(coupon, nowMs)));
  }

  async #readQueue({ id, keyStyle, state: ledgerState }: LedgerCoupon, nowMs: number): Promise<void> {
    const coupon = await this.#readCoupon(id);
    if (coupon === undefined) return;
    if (coupon === null || coupon === 'broken') {
      // Emptied or replaced, or not readable: such a coupon is no less out of service than one that is marked.
      if (ledgerState === 'ready' && keyStyle === this.#ports.keyStyle) this.#suspect.labels(id).set(1);
      return;
    }
    for (const place of ['waiting', 'claimed', 'dead'] as const) this.#depth.labels(id, place).set(coupon[place]);
    if (coupon.stock !== null) this.#stock.labels(id).set(coupon.stock);
    this.#suspect.labels(id).set(coupon.suspect === '' ? 0 : 1);
    const times = coupon.waiting > 0 ? await this.#ask('redis', this.#ports.reader.queueTimes(id, nowMs)) : undefined;
    this.#unreadable.labels(id).set((times?.timeless ?? 0) + (times?.future ?? 0));
    this.#oldest.labels(id).set(times ? this.#age(id, times, nowMs) : 0);
  }

  /**
   * Seconds. Where no score of the queue is a time that has been, the oldest has waited at least since this process first saw that;
   * never 0, or an alert on a stalled queue would stay silent.
   */
  #age(couponId: string, { oldestUs }: QueueTimes, nowMs: number): number {
    const waitedMs = oldestUs === null ? Number.NEGATIVE_INFINITY : nowMs - oldestUs / 1_000;
    if (waitedMs >= -AHEAD_MS) {
      this.#unknownSince.delete(couponId);
      return Math.max(0, waitedMs / 1_000);
    }
    const since = this.#unknownSince.get(couponId) ?? nowMs;
    this.#unknownSince.set(couponId, since);
    return Math.max(1, (nowMs - since) / 1_000);
  }

  /** Undefined: no answer. `broken`: a key holds another type, which says nothing against the store. */
  async #readCoupon(couponId: string): Promise<RedisCoupon | null | undefined | 'broken'> {
    return this.#ask(
      'redis',
      this.#ports.reader.coupon(couponId).catch((error: unknown) => {
        if (isCouponFault(error)) return 'broken' as const;
        throw error;
      }),
    );
  }

  /** Undefined: no answer, and the store is down for this scrape. */
  async #ask<T>(store: 'redis' | 'ledger', question: Promise<T>): Promise<T | undefined> {
    const failed = (): undefined => {
      this.#up.labels(store).set(0);
      return undefined;
    };
    const answer = await withTimeout(
      question.catch(() => LATE),
      PATIENCE_MS,
      LATE,
    );
    return answer === LATE ? failed() : (answer as T);
  }
}

/** Calls that were sent and whose answer was lost; `serve` and `drain` know different ones. */
export function ambiguousCounter(registry: Registry): Counter<'op'> {
  return new Counter({
    name: 'coupon_ambiguous_total',
    help: 'Store calls whose effect is unknown',
    labelNames: ['op'],
    registers: [registry],
  });
}
