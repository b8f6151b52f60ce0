import { alternating, median, medianRatio, type Effort, type Figure } from '../figures.ts';
import { ownStores } from '../own-stores.ts';
import { load, PLENTY } from './load.ts';
import { served } from './servers.ts';

/** What it costs that Redis writes each batch to the disk before it answers. */
export async function durability({ rounds, seconds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  await using server = await served(stores);
  const perSecond: Record<'always' | 'everysec', number[]> = { always: [], everysec: [] };
  for (let round = -1; round < rounds; round += 1) {
    for (const policy of alternating(['always', 'everysec'] as const, round)) {
      await stores.redis.config('SET', 'appendfsync', policy);
      const couponId = `${policy}-${round}`;
      await stores.seed(couponId, PLENTY);
      const figures = await load({ url: server.url, couponId, prefix: 'user-', users: 0, seconds });
      if (round >= 0) perSecond[policy].push(figures.perSecond);
    }
  }
  const [always, everysec] = [median(perSecond.always), median(perSecond.everysec)];
  return [
    {
      id: 'fsync-always',
      name: 'accepted requests a second with appendfsync always : everysec',
      value: medianRatio(perSecond.always, perSecond.everysec),
      bound: { atLeast: 0.95 },
      detail: `${Math.round(always)}/s, ${Math.round(everysec)}/s`,
    },
  ];
}
