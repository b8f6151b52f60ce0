import { alternating, median, medianRatio, type Effort, type Figure } from '../figures.ts';
import { ownStores } from '../own-stores.ts';
import { load, loadTool, PLENTY, type LoadFigures } from './load.ts';
import { served } from './servers.ts';

/** What the users of the first second get of a `serve` that has just been started, with its warm-up and without. */
export async function fresh({ rounds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const measured: Record<'1s' | '0s', LoadFigures[]> = { '1s': [], '0s': [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const warmUp of alternating(['1s', '0s'] as const, round)) {
      const couponId = `${warmUp}-${round}`;
      await stores.seed(couponId, PLENTY);
      await using server = await served(stores, ['--warm-up', warmUp]);
      measured[warmUp].push(await load({ url: server.url, couponId, prefix: 'user-', users: 0, seconds: 1 }));
    }
  }
  const of = (warmUp: '1s' | '0s', what: 'p99Ms' | 'perSecond'): number[] => measured[warmUp].map((one) => one[what]);
  const shown = (warmUp: '1s' | '0s'): string =>
    `${Math.round(median(of(warmUp, 'perSecond')))}/s, p99 ${median(of(warmUp, 'p99Ms')).toFixed(0)} ms`;
  return [
    {
      id: 'fresh-p99',
      name: 'p99 of the first second of a fresh serve : without its warm-up',
      value: medianRatio(of('1s', 'p99Ms'), of('0s', 'p99Ms')),
      bound: { atMost: 0.7 },
      detail: `${shown('1s')}; ${shown('0s')}; ${loadTool}`,
    },
  ];
}
