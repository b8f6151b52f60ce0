import type { LoadDriver, LoadOptions, LoadPlan, LoadResult } from '../ports.ts';
import { isOpen } from '../plan/phase.ts';
import { GeneratorWatch } from './generator-watch.ts';
import type { CpuUsage } from './generator-watch.ts';
import { latenciesOf } from '../record/histogram.ts';
import type { Autocannon } from './autocannon-phase.ts';
import { LoadRun } from './load-run.ts';
import { ThresholdWatch } from './threshold-watch.ts';

const PROGRESS_EVERY_MS = 250;

export interface DriverOptions {
  /** Processor time of this process so far, microseconds; injected because only `main.ts` touches the process. */
  cpuUsage?: CpuUsage;
  targetLostAfterMs?: number;
}

/**
 * Makes the load with autocannon, and keeps its own record of it (see `hardened-client.ts` for why). `zeroMs` of the result is
 * microsecond 0 of the record on the clock of `performance.now()`.
 */
export class AutocannonDriver implements LoadDriver {
  readonly #options: DriverOptions;

  constructor(options: DriverOptions = {}) {
    this.#options = options;
  }

  async run(plan: LoadPlan, options: LoadOptions): Promise<LoadResult & { zeroMs: number }> {
    const { default: autocannon } = await import('autocannon');
    const missed = new AbortController();
    const stop = AbortSignal.any([options.signal, missed.signal]);
    const run = new LoadRun(plan, this.#options.targetLostAfterMs);
    options.onStart?.();
    const watch = new GeneratorWatch(this.#options.cpuUsage);
    const thresholds = new ThresholdWatch(
      (plan.abortOn ?? []).filter((threshold) => threshold.abortAfterMs !== undefined),
      run,
      () => {
        run.enough = true;
        missed.abort();
      },
    );
    const { onProgress } = options;
    const ticker = onProgress && setInterval(() => onProgress(run.progress()), PROGRESS_EVERY_MS);
    try {
      for (const phase of plan.phases) await run.phase(phase, stop, autocannon as unknown as Autocannon);
    } finally {
      clearInterval(ticker);
      thresholds.stop();
    }
    const seen = watch.stop(run.spunMs, run.startLagMs);
    onProgress?.(run.progress());
    const record = run.close();
    const outcomes = record.counts(true);
    const { seconds } = run;
    const { issueIds } = run.replies;
    const latencies = latenciesOf(record);
    const replies = record.length - outcomes.unsent - outcomes.unknown;
    return {
      record,
      outcomes,
      planned: run.planned,
      latencies,
      // In a closed model a request is due when it is sent.
      fromPlanned: plan.phases.some(isOpen) ? latenciesOf(record, 'planned') : latencies,
      seconds,
      startedAt: run.startedAt,
      zeroMs: run.zeroMs,
      interrupted: options.signal.aborted,
      targetLost: run.target.lost,
      aborted: thresholds.missed,
      ranOut: run.ranOut,
      unexplained: run.replies.unexplained.top,
      ...(issueIds ? { issueIds } : {}),
      generator: {
        vus: Math.max(...plan.phases.map((phase) => phase.vus)),
        requestsPerSecond: seconds > 0 ? replies / seconds : 0,
        reconnects: Math.max(0, run.reconnects),
        faults: Object.fromEntries([...run.target.faults].toSorted(([, a], [, b]) => b - a)),
        ...seen,
      },
    };
  }
}
