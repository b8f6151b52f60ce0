import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { alternating, median, medianRatio, type Effort, type Figure } from '../figures.ts';
import { processorUs } from '../processor.ts';
import { ownStores, type OwnStores } from '../own-stores.ts';
import { load, loadTool, PLENTY, type LoadFigures } from './load.ts';
import { served, type Server } from './servers.ts';

export const IDLE = 5_000;
export const SLOW = 500;
type Which = 'crowded' | 'empty';

interface Measured extends LoadFigures {
  /** Processor time of the server for one request, microseconds. */
  serverUs: number;
}

/** What honest users get of a `serve` that keeps thousands of idle and hundreds of slow connections, beside one that has none. */
export async function crowd({ rounds, seconds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  await using crowded = await served(stores);
  await using empty = await served(stores);
  const child = fork(fileURLToPath(new URL('crowd-child.ts', import.meta.url)), [new URL(crowded.url).port]);
  await once(child, 'message');
  const measured: Record<Which, Measured[]> = { crowded: [], empty: [] };
  const open: number[] = [];
  // The first round warms up compilers and connections; each takes them in the other order than the one before.
  for (let round = -1; round < rounds; round += 1) {
    for (const which of alternating(['crowded', 'empty'] as const, round)) {
      const figure = await accepted(stores, which === 'crowded' ? crowded : empty, `${which}-${round}`, seconds);
      if (round >= 0) measured[which].push(figure);
    }
    open.push(files(crowded) - files(empty));
  }
  child.disconnect();
  await once(child, 'exit');
  const rates = (which: Which): number[] => measured[which].map(({ perSecond }) => perSecond);
  const of = (which: Which, what: 'p99Ms' | 'serverUs'): string => median(measured[which].map((one) => one[what])).toFixed(1);
  const shown = (which: Which): string =>
    `${Math.round(median(rates(which)))}/s, p99 ${of(which, 'p99Ms')} ms, ${of(which, 'serverUs')} µs`;
  return [
    {
      id: 'crowd-rate',
      name: `accepted: requests a second with ${IDLE} idle and ${SLOW} slow connections open : without`,
      value: medianRatio(rates('crowded'), rates('empty')),
      bound: { atLeast: 0.9 },
      detail: `${shown('crowded')}; ${shown('empty')}; at least ${Math.min(...open)} more connections; ${loadTool}`,
    },
  ];
}

async function accepted(stores: OwnStores, { url, pid }: Server, couponId: string, seconds: number): Promise<Measured> {
  await stores.seed(couponId, PLENTY);
  const before = processorUs(pid);
  const figures = await load({ url, couponId, prefix: 'user-', users: 0, seconds });
  return { ...figures, serverUs: (processorUs(pid) - before) / figures.requests };
}

/** Open files of a process, of which connections are most. Linux. */
function files({ pid }: Server): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
