import { systemClock } from '../../../lib/clock.ts';
import { benchRun, type BenchOptions, type BenchRun } from '../../../bench/run.ts';
import type { Disrupt } from '../../../bench/run-timeline.ts';
import type { LoadDriver } from '../../../bench/ports.ts';
import type { EvidenceSource } from '../../../bench/evidence/source.ts';
import { benchProgressText } from '../../../bench/report/summary.ts';
import type { Context } from '../../context.ts';
import { startProgress } from '../../output/progress.ts';

/** One scenario against a service that stands, with a line of progress. Shared by `bench` and `demo`. */
export async function runBench(
  context: Context,
  options: BenchOptions & { evidence: EvidenceSource; disrupt?: Disrupt; processes?: number | undefined },
): Promise<BenchRun> {
  const { httpProbe } = await import('../../../bench/load/probe.ts');
  const driver = await driverOf(context, options.processes ?? 1);
  const progress = await startProgress(context, `${options.scenario.name}: starting`);
  try {
    return await benchRun(
      {
        driver,
        probe: httpProbe,
        evidence: options.evidence,
        clock: systemClock,
        ...(options.disrupt ? { disrupt: options.disrupt } : {}),
      },
      { ...options, onProgress: (step) => progress.update(`${options.scenario.name}: ${benchProgressText(step)}`) },
    );
  } finally {
    progress.stop();
  }
}

async function driverOf(context: Context, processes: number): Promise<LoadDriver> {
  const { env } = context;
  if (processes === 1) {
    const { AutocannonDriver } = await import('../../../bench/load/autocannon-driver.ts');
    return new AutocannonDriver({ cpuUsage: () => env.cpuMicros() });
  }
  const [{ ProcessesDriver }, { startChild }] = await Promise.all([
    import('../../../bench/load/processes/driver.ts'),
    import('../../../lib/process/children.ts'),
  ]);
  return new ProcessesDriver({
    processes,
    tmpDir: env.tmpDir,
    start: (dir, onEvent) =>
      startChild('bench worker', {
        command: env.self,
        args: ['bench', 'worker', dir, '--json'],
        // It aims where the plan says, and needs no settings of its own.
        env: { PATH: env.path, NO_COLOR: '1', NODE_EXTRA_CA_CERTS: env.vars['NODE_EXTRA_CA_CERTS'] },
        cwd: dir,
        listens: true,
        onEvent,
        // The caller that waits for its result tells it.
        onDeath: () => undefined,
      }),
  });
}
