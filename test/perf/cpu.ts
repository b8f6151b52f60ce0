import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, repeated, type Figure } from './figures.ts';
import { responder } from './targets.ts';

const RUNS = 5;
const REQUESTS = 100_000;

/** A request of ours (own user, own record, own parser handling) against a fixed one of autocannon, side by side. */
export async function cpuPerRequest(): Promise<Figure[]> {
  await using target = await responder({ manner: 'at once' });
  const pairs = await repeated(RUNS, async () => [await cpuUs(target.url, 'ours'), await cpuUs(target.url, 'stock')] as const);
  const [ours, stock] = [0, 1].map((side) => median(pairs.map((pair) => pair[side]!)).toFixed(1));
  const value = median(pairs.map(([one, other]) => one / other));
  return [
    {
      id: 'generator-cpu',
      name: 'processor time per request : stock autocannon',
      value,
      bound: { atMost: 1.25 },
      detail: `medians of ${RUNS}: ${ours} µs, ${stock} µs`,
    },
  ];
}

async function cpuUs(url: string, kind: 'ours' | 'stock'): Promise<number> {
  const child = fork(fileURLToPath(new URL('generator.ts', import.meta.url)), [url, kind, String(REQUESTS)]);
  const exited = once(child, 'exit');
  const [us] = (await once(child, 'message')) as [number];
  await exited;
  return us;
}
