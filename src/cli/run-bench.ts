import { setTimeout as sleep } from 'node:timers/promises';
import { benchRun, type BenchOptions, type BenchRun } from '../app/bench.ts';
import type { Disrupt } from '../app/bench-timeline.ts';
import type { EvidenceSource } from '../app/evidence-source.ts';
import { benchProgressText } from '../render/bench-summary.ts';
import type { Context } from './context.ts';
import { startProgress } from './progress.ts';

/** One scenario against a service that stands, with a line of progress. Shared by `bench` and `demo`. */
export async function runBench(
  context: Context,
  options: BenchOptions & { evidence: EvidenceSource; disrupt?: Disrupt },
): Promise<BenchRun> {
  const [{ AutocannonDriver }, { httpProbe }] = await Promise.all([import('../load/autocannon-driver.ts'), import('../load/probe.ts')]);
  const driver = new AutocannonDriver({ cpuUsage: () => context.env.cpuMicros() });
  const clock = { now: () => performance.now(), sleep: (ms: number) => sleep(ms) };
  const progress = await startProgress(context, `${options.scenario.name}: starting`);
  try {
    return await benchRun(
      { driver, probe: httpProbe, evidence: options.evidence, clock, ...(options.disrupt ? { disrupt: options.disrupt } : {}) },
      { ...options, onProgress: (step) => progress.update(`${options.scenario.name}: ${benchProgressText(step)}`) },
    );
  } finally {
    progress.stop();
  }
}
