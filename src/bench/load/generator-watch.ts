import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { GeneratorReport } from '../ports.ts';

/** Processor time used so far, microseconds. */
export type CpuUsage = () => number;

/** A loop busy for more than this share of the time cannot be asked for more, whatever the service could do. */
const BUSY = 0.9;
/** Requests that leave so late although a connection was free are not the open model that was asked for. */
const LATE_MS = 25;
/** A shorter load is mostly the generator's own start. */
const LONG_ENOUGH_US = 1e6;

/** Watches the load generator itself: were its figures limited by the service, or by its own one thread? */
export class GeneratorWatch {
  readonly #cpuUsage: CpuUsage | undefined;
  readonly #lag = monitorEventLoopDelay({ resolution: 10 });
  readonly #loop = performance.eventLoopUtilization();
  readonly #startMs = performance.now();
  readonly #cpu: number | undefined;

  constructor(cpuUsage?: CpuUsage) {
    this.#cpuUsage = cpuUsage;
    this.#cpu = cpuUsage?.();
    this.#lag.enable();
  }

  /**
   * @param spunMs time that an open model spent on waiting for a moment: busy for the event loop, but idle for us
   * @param startLagMs how late its requests left although a connection was free; null for a closed model
   */
  stop(
    spunMs: number,
    startLagMs: GeneratorReport['startLagMs'],
  ): Pick<GeneratorReport, 'eventLoopUtilization' | 'eventLoopLagMs' | 'startLagMs' | 'cpuShare' | 'limited'> {
    this.#lag.disable();
    const cpu = this.#cpuUsage?.();
    const wallUs = (performance.now() - this.#startMs) * 1_000;
    const spun = (spunMs * 1_000) / wallUs;
    const utilization = Math.max(0, performance.eventLoopUtilization(this.#loop).utilization - spun);
    // The histogram is in nanoseconds and includes its own resolution of 10 ms.
    const lag = (ns: number): number => (Number.isFinite(ns) && ns > 0 ? Math.max(0, Math.round(ns / 1e4) / 100 - 10) : 0);
    return {
      eventLoopUtilization: Math.round(utilization * 1_000) / 1_000,
      eventLoopLagMs: { p50: lag(this.#lag.percentile(50)), p99: lag(this.#lag.percentile(99)), max: lag(this.#lag.max) },
      startLagMs,
      cpuShare: cpu === undefined || this.#cpu === undefined ? null : Math.round(((cpu - this.#cpu) / wallUs) * 1_000) / 1_000,
      limited: (utilization > BUSY || (startLagMs?.p99 ?? 0) > LATE_MS) && wallUs >= LONG_ENOUGH_US,
    };
  }
}
