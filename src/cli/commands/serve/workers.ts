/** `serve --workers`: the first process owns the port, and keeps so many workers at it. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { systemClock } from '../../../lib/clock.ts';
import type { Context } from '../../context.ts';
import { systemdSupervisor } from '../drain/systemd.ts';
import { shareMetrics } from './shared-metrics.ts';

/** Longer than a worker gives to its requests. */
const STOP_MS = 15_000;
/** A worker that ends sooner after its start than this is replaced so much later, or a fault at the start would keep the machine busy. */
const LIFE_MS = 5_000;

/**
 * Runs until the first signal, then stops the workers one after the other: as long as one of them runs, the port takes connections.
 *
 * @returns exit code: that of the first worker if it ended before it could listen
 */
export async function keepWorkers(context: Context, count: number, url: (port: number) => string): Promise<number> {
  const stop = context.stopSignal();
  const supervisor = systemdSupervisor(context, stop);
  const [, entry] = context.env.self;
  // Notes of the workers are those of this process; warnings and errors are not.
  cluster.setupPrimary({ exec: entry!, args: [...context.env.argv, '--quiet'] });
  shareMetrics();

  const first = cluster.fork();
  const stopped = stop.aborted ? Promise.resolve([null]) : once(stop, 'abort');
  const [outcome] = (await Promise.race([once(first, 'listening'), once(first, 'exit'), stopped])) as [{ port: number } | number | null];
  if (stop.aborted) {
    await end(first);
    context.out.note('stopped');
    return 0;
  }
  if (outcome === null || typeof outcome === 'number') return outcome ?? 1;
  const kept = [first, ...Array.from({ length: count - 1 }, () => cluster.fork())].map((worker) => keep(context, worker, stop));
  context.out.item(
    { event: 'listening', url: url(outcome.port), workers: count },
    () => `listening on ${url(outcome.port)} with ${count} workers`,
  );
  supervisor.ready();

  if (!stop.aborted) await once(stop, 'abort');
  for (const { current } of kept) await end(current());
  context.out.note('stopped');
  return 0;
}

/** Replaces a worker that ends without having been asked to, again and again. */
function keep(context: Context, worker: Worker, stop: AbortSignal): { current: () => Worker } {
  let current = worker;
  const watch = (): void => {
    const bornMs = systemClock.now();
    current.once('exit', (code, signal) => {
      if (stop.aborted) return;
      const lifeMs = systemClock.now() - bornMs;
      context.out.warn(`worker ${current.process.pid} ended (${signal ?? `exit code ${code}`}) and is replaced`);
      void systemClock.sleep(lifeMs < LIFE_MS ? LIFE_MS : 0, stop).then(() => {
        if (stop.aborted) return;
        current = cluster.fork();
        watch();
      });
    });
  };
  watch();
  return { current: () => current };
}

async function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return;
  const gone = once(worker, 'exit');
  worker.process.kill('SIGTERM');
  const late = new AbortController();
  void systemClock.sleep(STOP_MS, late.signal).then(() => late.signal.aborted || worker.process.kill('SIGKILL'));
  await gone;
  late.abort();
}

/**
 * For a worker: aborted by SIGTERM, which comes from the first process. A terminal sends SIGINT to all processes at once, and the first one still has to
 * stop them one after the other.
 */
export function workerStop(context: Context): AbortSignal {
  const stop = new AbortController();
  context.onClose(context.env.onSignal((signal) => signal === 'SIGTERM' && stop.abort(signal)));
  return stop.signal;
}
