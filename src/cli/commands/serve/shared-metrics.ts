/**
 * One set of metrics for all workers: whichever is scraped asks the first process, which asks every worker that listens and adds up what
 * they say. prom-client's own `clusterMetrics` also asks workers that only start, and waits for them.
 */
import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client';
import { CouponError } from '../../../lib/errors.ts';
import { withTimeout } from '../../../lib/with-timeout.ts';

type Message =
  /** A worker was scraped; the text of all of them, or null where one did not answer. */
  | { type: 'scraped'; id: number }
  | { type: 'scrape'; id: number; text: string | null }
  /** What do you count? */
  | { type: 'count'; id: number }
  | { type: 'counted'; id: number; metrics: MetricObject[] };

const PATIENCE_MS = 5_000;

/** In the first process. */
export function shareMetrics(): void {
  const listening = new Set<Worker>();
  cluster.on('listening', (worker) => listening.add(worker));
  cluster.on('disconnect', (worker) => listening.delete(worker));
  const asked = new Map<number, (metrics: MetricObject[]) => void>();
  let count = 0;

  const ask = (worker: Worker): Promise<MetricObject[]> =>
    new Promise((resolve) => {
      count += 1;
      asked.set(count, resolve);
      // A worker that dies meanwhile leaves the question open; without a callback the failed send would end this process.
      worker.send({ type: 'count', id: count } satisfies Message, () => undefined);
    });
  const sum = async (): Promise<string | null> => {
    const all = await withTimeout(Promise.all(Array.from(listening, ask)), PATIENCE_MS, null);
    return all && (await AggregatorRegistry.aggregate(all).metrics());
  };

  cluster.on('message', (worker, message: Message) => {
    if (message.type === 'counted') {
      asked.get(message.id)?.(message.metrics);
      asked.delete(message.id);
    } else if (message.type === 'scraped') {
      void sum().then((text) => worker.send({ type: 'scrape', id: message.id, text } satisfies Message, () => undefined));
    }
  });
}

/**
 * In a worker, which counts in `own`.
 *
 * @returns the metrics of all workers; throws CouponError `METRICS_LATE` when one of them did not answer
 */
export function sharedMetrics(own: Registry): () => Promise<string> {
  const worker = cluster.worker!;
  const scrapes = new Map<number, (text: string | null) => void>();
  let count = 0;
  worker.on('message', (message: Message) => {
    if (message.type === 'scrape') {
      scrapes.get(message.id)?.(message.text);
      scrapes.delete(message.id);
    } else if (message.type === 'count') {
      void own
        .getMetricsAsJSON()
        .then((metrics) => worker.isConnected() && worker.send({ type: 'counted', id: message.id, metrics } satisfies Message));
    }
  });
  return async () => {
    const text = await new Promise<string | null>((resolve) => {
      count += 1;
      scrapes.set(count, resolve);
      worker.send({ type: 'scraped', id: count } satisfies Message);
    });
    if (text !== null) return text;
    throw new CouponError({
      code: 'METRICS_LATE',
      kind: 'unreachable',
      message: 'a worker did not say what it counts',
      fix: 'It is busy or has just ended: the next scrape asks it again. If it stays so, start more workers.',
    });
  };
}
