import type { BenchRun } from '../../../bench/run.ts';
import type { Disrupt } from '../../../bench/run-timeline.ts';
import type { EvidenceSource } from '../../../bench/evidence/source.ts';
import type { Scenario } from '../../../bench/scenario/scenario.ts';
import type { Session } from '../../../bench/steps/session.ts';
import type { RunAction } from '../../../bench/steps/step-client.ts';
import type { TlsTrust } from '../../../bench/ports.ts';
import type { Strategy } from '../../../campaign/strategy.ts';
import { number } from '../../../lib/text/figures.ts';
import type { Context } from '../../context.ts';
import { startProgress } from '../../output/progress.ts';
import { environmentOf, type StoreUrls } from './environment.ts';
import { runBench } from './run-bench.ts';

/** What a load goes to, and where the truth about it is read. */
export interface Service {
  target: string;
  strategy?: Strategy;
  disrupt?: Disrupt;
  evidence: EvidenceSource;
  /** Of a stack of its own. */
  urls?: StoreUrls;
  stop: () => Promise<void>;
}

export interface RoundsOptions {
  scenario: Scenario;
  /** A service with fresh coupons where it is ours; called before each round. */
  ready: () => Promise<Service>;
  tls: TlsTrust;
  signal: AbortSignal;
  allowCoupons: readonly string[];
  processes: number;
  preparedFile: string | undefined;
  actions?: RunAction | undefined;
}

/** All rounds of a scenario, until one is not proven: that one is returned, or else the last. Null: stopped before the first load. */
export async function runRounds(context: Context, options: RoundsOptions): Promise<BenchRun | null> {
  const { scenario, ready, signal } = options;
  let shown: BenchRun | null = null;
  let session = null as { session: Session; target: string } | null;
  let round = 0;
  let environment: Record<string, string> | undefined;
  try {
    while (round < scenario.rounds && !signal.aborted) {
      const service = await ready();
      try {
        // A server of --stack has another address in each round.
        if (session?.target !== service.target) {
          await session?.session.close();
          session = null;
          session = { session: await open(context, options, service.target), target: service.target };
        }
        const { shared, prepared } = await session.session.beforeRound();
        const { allowCoupons, processes, tls } = options;
        environment ??= await environmentOf(context, scenario, service.urls ?? null);
        shown = await runBench(context, { scenario, ...service, tls, signal, allowCoupons, processes, shared, prepared });
      } finally {
        await service.stop();
      }
      round += 1;
      if (scenario.rounds > 1) context.out.note(`round ${number(round)} of ${number(scenario.rounds)}: ${shown.report.verdict.integrity}`);
      if (shown.report.exitCode !== 0) break;
    }
  } catch (error) {
    // Stopped before the load: there is nothing to report.
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    await session?.session.close();
  }
  if (shown && environment) shown.report.environment = environment;
  if (shown && scenario.rounds > 1) shown.report.rounds = { planned: scenario.rounds, run: round, shown: round };
  return shown;
}

async function open(context: Context, { scenario, tls, actions, preparedFile, signal }: RoundsOptions, target: string): Promise<Session> {
  const { setup, before, prepare, teardown } = scenario;
  if (setup.length + before.length + prepare.length + teardown.length === 0)
    return { beforeRound: async () => ({ shared: {}, prepared: null }), close: async () => undefined };
  const { openSession } = await import('../../../bench/steps/session.ts');
  const progress = await startProgress(context, `${scenario.name}: setting up`);
  const onProgress = (done: number, of: number): void =>
    progress.update(`${scenario.name}: preparing users: ${number(done)} of ${number(of)}`);
  const session = await openSession({ scenario, target, tls, actions, preparedFile, signal, onProgress }).catch((error: unknown) => {
    progress.stop();
    throw error;
  });
  return {
    beforeRound: () => session.beforeRound().finally(() => progress.stop()),
    close: () => session.close(),
  };
}
