import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadDriver, LoadOptions, LoadPlan, LoadProgress, LoadResult } from '../../ports.ts';
import { plannedRequests } from '../../plan/phase.ts';
import { noOutcomes, OUTCOMES } from '../../../campaign/outcome.ts';
import type { Child } from '../../../lib/process/children.ts';
import { mergeResults } from './merge-results.ts';
import { splitPlan } from './plan.ts';
import { readResult, writePart } from './worker.ts';

export interface ProcessesOptions {
  processes: number;
  /** A folder for what is handed over, removed afterwards. */
  tmpDir: string;
  /** Starts a process that calls `runWorker` on the folder, and goes when it is told `go`. */
  start: (dir: string, onEvent: (event: Record<string, unknown>) => void) => Child;
}

/**
 * Makes a load from several processes. One event loop sends some ten thousand requests a second; beyond that the generator, and
 * not the service, would be measured. All of them start together, and their records become one (see `mergeResults`).
 *
 * The clock that they share is the system's monotonic clock (on Linux CLOCK_MONOTONIC, clock_gettime(2): the same for every
 * process of one machine), so times of different processes may be compared as if one had taken them.
 */
export class ProcessesDriver implements LoadDriver {
  readonly #options: ProcessesOptions;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** @throws CouponError `BENCH_PROCESSES`, `CHILD_FAILED` (a process ended early: what it had sent is not known) */
  async run(plan: LoadPlan, options: LoadOptions): Promise<LoadResult> {
    const { processes, tmpDir, start } = this.#options;
    const split = splitPlan(plan, processes);
    const dir = mkdtempSync(join(tmpDir, 'coupon-load-'));
    const dirs = split.parts.map((_, part) => join(dir, String(part)));
    const progress = new Map<number, LoadProgress>();
    const children: Child[] = [];
    const stop = (): void => children.forEach((child) => child.say('stop'));
    try {
      for (const [part, own] of dirs.entries()) {
        mkdirSync(own);
        writePart(own, split.parts[part]!);
        children.push(
          start(own, (event) => {
            if (event['event'] !== 'progress') return;
            progress.set(part, event as unknown as LoadProgress);
            options.onProgress?.(sumOf([...progress.values()], plannedRequests(plan.phases)));
          }),
        );
      }
      const done = Promise.all(children.map((child) => child.event('done')));
      // It is awaited below, after the start has succeeded or failed for itself.
      done.catch(() => undefined);
      await Promise.all(children.map((child) => child.event('ready')));
      for (const child of children) child.say('go');
      options.onStart?.();
      options.signal.addEventListener('abort', stop, { once: true });
      if (options.signal.aborted) stop();
      await done;
      return mergeResults(dirs.map(readResult), split);
    } finally {
      options.signal.removeEventListener('abort', stop);
      await Promise.all(children.map((child) => child.stop()));
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

function sumOf(all: readonly LoadProgress[], planned: number | null): LoadProgress {
  const outcomes = noOutcomes();
  for (const one of all) for (const outcome of OUTCOMES) outcomes[outcome] += one.outcomes[outcome];
  const largest = (figure: 'p99Ms' | 'leftMs'): number | null => {
    const known = all.map((one) => one[figure]).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const elapsedMs = Math.max(...all.map((one) => one.elapsedMs));
  return { phase: all[0]!.phase, planned, outcomes, elapsedMs, p99Ms: largest('p99Ms'), leftMs: largest('leftMs') };
}
