import { median, repeated, type Figure } from './figures.ts';
import { loadOn } from './targets.ts';

const RUNS = 5;
const p = (percentile: number) => ({ kind: 'percentile', percentile }) as const;

/** Planted latencies, 95 % 20 ms and 5 % 80 ms, come out as they were planted. */
export async function plantedLatencies(): Promise<Figure[]> {
  const results = await repeated(RUNS, () => loadOn({ manner: 'slow' }, { users: 4_000, phases: [{ vus: 50 }] }));
  const p50 = median(results.map(({ latencies }) => latencies.value(null, p(50))!));
  const p99 = median(results.map(({ latencies }) => latencies.value(null, p(99))!));
  return [
    {
      id: 'latency-p50',
      name: 'p50 of planted 20 ms: off by',
      value: Math.abs(p50 - 20),
      bound: { atMost: 2 },
      detail: `ms; median of ${RUNS}: ${p50.toFixed(2)} ms`,
    },
    {
      id: 'latency-p99',
      name: 'p99 of planted 80 ms: off by',
      value: Math.abs(p99 - 80),
      bound: { atMost: 8 },
      detail: `ms; median of ${RUNS}: ${p99.toFixed(2)} ms`,
    },
  ];
}

/** A stall of half a second shows in p95 when latency counts from the planned time; from sending, hardly anybody was late. */
export async function stall(): Promise<Figure[]> {
  const phases = [{ executor: 'constant-arrival-rate', rate: 1_000, duration: '4s', maxVUs: 50, startWithin: '10s' }];
  const results = await repeated(RUNS, () => loadOn({ manner: 'stall' }, { users: 4_000, phases }));
  const planned = median(results.map(({ fromPlanned }) => fromPlanned.value(null, p(95))!));
  const sent = median(results.map(({ latencies }) => latencies.value(null, p(95))!));
  // An eighth of the load is due in the stall, evenly spread over it: 95 % of all have waited at most 300 ms.
  return [
    {
      id: 'stall',
      name: 'p95 from the planned time after a stall of 500 ms, missing to 300 ms',
      value: 300 - planned,
      bound: { atMost: 30 },
      detail: `ms; medians of ${RUNS}: ${planned.toFixed(0)} ms planned, ${sent.toFixed(1)} ms from sending`,
    },
  ];
}
