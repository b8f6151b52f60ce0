import type { RequestRecord } from '../../src/bench/checks/integrity.ts';
import { median, repeated, type Figure } from './figures.ts';
import { loadOn } from './targets.ts';

const RUNS = 5;
const BIN_US = 10_000;
const SECONDS = 4;

/** Requests of an open model leave evenly: the standard deviation of their number in 10 ms stays below 10 % of the mean. */
export async function evenness(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rate of [1_000, 5_000]) {
    const phases = [{ executor: 'constant-arrival-rate', rate, duration: `${SECONDS}s`, maxVUs: 50 }];
    const results = await repeated(RUNS, () => loadOn({ manner: 'at once' }, { users: rate * SECONDS, phases }));
    const spreads = results.map(({ record }) => spread(record));
    const lag = median(results.map(({ generator }) => generator.startLagMs?.p99 ?? 0));
    figures.push({
      id: `evenness-${rate}`,
      name: `open model at ${rate}/s: deviation per 10 ms, as a share of the mean`,
      value: median(spreads),
      bound: { atMost: 0.1 },
      detail: `median of ${RUNS} (${spreads.map((one) => one.toFixed(3)).join(' ')}); left late by p99 ${lag} ms`,
    });
  }
  return figures;
}

/** The first and the last quarter of a second are left out: connections settle, and the last bin is not full. */
function spread({ length, sentUs }: RequestRecord): number {
  const counts = new Map<number, number>();
  for (let row = 0; row < length; row += 1) {
    const bin = Math.floor((sentUs[row]! - sentUs[0]!) / BIN_US);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const bins = Array.from({ length: SECONDS * 100 - 50 }, (_, index) => counts.get(index + 25) ?? 0);
  const mean = bins.reduce((sum, count) => sum + count, 0) / bins.length;
  return Math.sqrt(bins.reduce((sum, count) => sum + (count - mean) ** 2, 0) / bins.length) / mean;
}
