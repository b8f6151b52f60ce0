import { isReplyLost } from '../lib/errors.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CouponPass } from './coupon-pass.ts';
import type { DrainPorts } from './ports.ts';
import { ambiguousCounter } from '../http/store-metrics.ts';

type Phase = 'claim' | 'ledger' | 'ack';

export interface DrainMetrics {
  /** The same ports, measured. */
  measured(ports: DrainPorts): DrainPorts;
  passed(passes: readonly CouponPass[]): void;
}

/** What a drain counts. Its batches are measured at its ports, so that it need not know. */
export function drainMetrics(registry: Registry): DrainMetrics {
  const own = (name: string, help: string) => ({ name, help, registers: [registry] });
  const passCount = new Counter(own('coupon_drain_passes_total', 'Passes over all coupons that were finished'));
  const reclaims = new Counter(own('coupon_reclaims_total', 'Users taken back from claims that had expired'));
  const dead = new Counter(own('coupon_drain_dead_total', 'Dead-lettered users, who can never be issued'));
  const skipped = new Gauge({
    ...own('coupon_drain_skipped', '1 for each coupon that the last pass did not drain, by reason'),
    labelNames: ['coupon', 'reason'],
  });
  const ambiguous = ambiguousCounter(registry);
  const seconds = new Histogram({
    ...own('coupon_drain_batch_seconds', 'Time that each step of a batch took'),
    labelNames: ['phase'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });

  const counted = async <T>(op: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (isReplyLost(error)) ambiguous.labels(op).inc();
      throw error;
    }
  };
  /** @param isBatch by its result; a look at an empty queue would only hide how long batches take */
  const timed = async <T>(phase: Phase, work: Promise<T>, isBatch: (result: T) => boolean): Promise<T> => {
    const end = seconds.labels(phase).startTimer();
    let result: T;
    try {
      result = await work;
    } catch (error) {
      end();
      throw error;
    }
    if (isBatch(result)) end();
    return result;
  };

  return {
    measured({ claims, coupons, ledger }) {
      return {
        coupons,
        claims: {
          ...claims,
          async claim(couponId, options) {
            const work = counted('claim', claims.claim(couponId, options));
            const result = await timed('claim', work, (claimed) => claimed.status === 'ok' && claimed.claims.length > 0);
            if (result.status === 'ok') reclaims.inc(result.reclaimed);
            return result;
          },
          ack: (couponId, epoch, rows, by) => timed('ack', counted('ack', claims.ack(couponId, epoch, rows, by)), () => true),
          release: (couponId, epoch, released) => counted('release', claims.release(couponId, epoch, released)),
        },
        ledger: {
          ...ledger,
          issue: (couponId, batch, options) => timed('ledger', counted('issue', ledger.issue(couponId, batch, options)), () => true),
        },
      };
    },

    passed(passes) {
      passCount.inc();
      skipped.reset();
      for (const pass of passes) {
        dead.inc(pass.dead);
        if (pass.skipped) skipped.labels(pass.couponId, pass.skipped).set(1);
      }
    },
  };
}
