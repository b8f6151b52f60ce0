import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadDriver, LoadPlan, LoadProgress, LoadResult } from '../app/bench-ports.ts';
import type { Phase } from '../core/scenario.ts';
import { classifier } from './classify.ts';
import { GeneratorWatch } from './generator-watch.ts';
import type { CpuUsage } from './generator-watch.ts';
import { HardenedClient } from './hardened-client.ts';
import type { AutocannonClient, ClientHost } from './hardened-client.ts';
import { latenciesOf } from './histogram.ts';
import { LoadRecord } from './record.ts';
import { requestWriter } from './request-writer.ts';

const PROGRESS_EVERY_MS = 250;
/** No connection at all for so long: the target is gone, and the rest of the plan is not sent. */
const TARGET_LOST_AFTER_MS = 10_000;
/** autocannon ends a run on its next sample. */
const SAMPLE_MS = 20;
/** Longer than any phase: our gate ends a phase, not autocannon's clock, which would cut off replies under way. */
const NEVER_SECONDS = 2_000_000;

export interface DriverOptions {
  /** Processor time of this process so far, microseconds; injected because only `main.ts` touches the process. */
  cpuUsage?: CpuUsage;
  targetLostAfterMs?: number;
}

/** Makes the load with autocannon, and keeps its own record of it (see `hardened-client.ts` for why). */
export class AutocannonDriver implements LoadDriver {
  readonly #options: DriverOptions;

  constructor(options: DriverOptions = {}) {
    this.#options = options;
  }

  async run(plan: LoadPlan, options: { signal: AbortSignal; onProgress?: (progress: LoadProgress) => void }): Promise<LoadResult> {
    const { default: autocannon } = await import('autocannon');
    const run = new LoadRun(plan, this.#options);
    const watch = new GeneratorWatch(this.#options.cpuUsage);
    let phaseName = '';
    const { onProgress } = options;
    const ticker = onProgress && setInterval(() => onProgress(run.progress(phaseName)), PROGRESS_EVERY_MS);
    try {
      for (const phase of plan.phases) {
        phaseName = phase.name;
        if (options.signal.aborted || run.targetLost) break;
        await run.phase(phase, options.signal, autocannon as unknown as Autocannon);
      }
    } finally {
      clearInterval(ticker);
    }
    const seen = watch.stop();
    onProgress?.(run.progress(phaseName));
    const { record } = run;
    const outcomes = record.counts(true);
    const seconds = run.seconds;
    const replies = record.length - outcomes.unsent - outcomes.unknown;
    return {
      record,
      outcomes,
      latencies: latenciesOf(record),
      seconds,
      startedAt: run.startedAt,
      interrupted: options.signal.aborted,
      targetLost: run.targetLost,
      generator: {
        vus: Math.max(...plan.phases.map((phase) => phase.vus)),
        requestsPerSecond: seconds > 0 ? replies / seconds : 0,
        reconnects: Math.max(0, run.reconnects),
        faults: Object.fromEntries([...run.faults].toSorted(([, a], [, b]) => b - a)),
        ...seen,
      },
    };
  }
}

interface AutocannonOptions {
  url: string;
  connections: number;
  pipelining: 1;
  duration: number;
  sampleInt: number;
  timeout: number;
  setupClient(client: AutocannonClient): void;
}

/** The types that are published are of version 7. */
type Autocannon = (options: AutocannonOptions, done: (error: Error | null) => void) => void;

/** The state that all virtual users of a run share. */
class LoadRun {
  readonly record: LoadRecord;
  readonly startedAt = new Date();
  readonly faults = new Map<string, number>();
  /** Connections beyond the first of each virtual user. */
  reconnects = 0;
  targetLost = false;
  readonly #plan: LoadPlan;
  readonly #write: (row: number) => Buffer;
  readonly #classify: (status: number, body: string) => number;
  readonly #zero = performance.now();
  readonly #targetLostAfterMs: number;
  #firstSentUs = Number.NaN;
  #lastDoneUs = Number.NaN;
  /** Next request of the plan, and the end of the present phase. */
  #cursor = 0;
  #end = 0;
  #downSinceUs: number | null = null;

  constructor(plan: LoadPlan, options: DriverOptions) {
    this.#plan = plan;
    this.record = new LoadRecord(plan.requests);
    this.#write = requestWriter(plan, Math.floor(this.startedAt.getTime()).toString(36));
    this.#classify = classifier(plan.outcomes);
    this.#targetLostAfterMs = options.targetLostAfterMs ?? TARGET_LOST_AFTER_MS;
  }

  get seconds(): number {
    const seconds = (this.#lastDoneUs - this.#firstSentUs) / 1e6;
    return seconds >= 0 ? seconds : 0;
  }

  progress(phase: string): LoadProgress {
    return { phase, planned: this.record.length, outcomes: this.record.counts(false), elapsedMs: performance.now() - this.#zero };
  }

  /** Runs one phase until its requests have all ended, or have been given up. */
  async phase(phase: Phase, signal: AbortSignal, autocannon: Autocannon): Promise<void> {
    const clients: HardenedClient[] = [];
    const host = this.#host(() => stop());
    this.#end = Math.min(this.#cursor + phase.iterations, this.record.length);
    const settled = new AbortController();
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      this.#end = this.#cursor;
      for (const client of clients) if (!client.busy) client.end('closed');
      // Replies under way get their time; who has none by then is unknown.
      void sleep(this.#plan.gracefulStopMs, undefined, { signal: settled.signal }).then(
        () => clients.forEach((client) => client.end('abandoned')),
        () => undefined,
      );
    };
    const timer = setTimeout(stop, phase.maxDurationMs);
    signal.addEventListener('abort', stop, { once: true });
    const planned = this.#end;
    try {
      await new Promise<void>((resolve, reject) => {
        autocannon(
          {
            url: this.#plan.target,
            // No more users than requests: autocannon takes a client that never sends for one that still runs.
            connections: Math.max(1, Math.min(phase.vus, planned - this.#cursor)),
            pipelining: 1,
            duration: NEVER_SECONDS,
            sampleInt: SAMPLE_MS,
            timeout: 1,
            setupClient: (client) => {
              clients.push(new HardenedClient(client, host));
              this.reconnects -= 1;
            },
          },
          (error) => (error ? reject(error) : resolve()),
        );
      });
    } finally {
      settled.abort();
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
    // What this phase did not come to send is not the next one's.
    this.#cursor = planned;
  }

  #host(stop: () => void): ClientHost {
    return {
      timeoutMs: this.#plan.request.timeoutMs,
      wanted: () => this.#cursor < this.#end,
      take: () => {
        if (this.#cursor >= this.#end) return null;
        const row = this.#cursor;
        this.#cursor += 1;
        const bytes = this.#write(row);
        const now = this.#nowUs();
        // In a closed model a request is wanted when a user is free for it.
        this.record.sent(row, now, now);
        if (Number.isNaN(this.#firstSentUs)) this.#firstSentUs = now;
        return { row, bytes };
      },
      replied: (row, status, body) => {
        this.#lastDoneUs = this.#nowUs();
        this.record.replied(row, this.#classify(status, body), status, this.#lastDoneUs);
      },
      lost: (row, fault) => {
        this.record.lost(row);
        this.#fault(fault);
        this.#lastDoneUs = this.#nowUs();
      },
      connected: (ok, fault) => {
        if (ok) {
          this.reconnects += 1;
          this.#downSinceUs = null;
          return;
        }
        this.#fault(fault);
        this.#downSinceUs ??= this.#nowUs();
        if (this.#nowUs() - this.#downSinceUs < this.#targetLostAfterMs * 1_000) return;
        this.targetLost = true;
        stop();
      },
    };
  }

  #fault(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  #nowUs(): number {
    return Math.round((performance.now() - this.#zero) * 1_000);
  }
}
