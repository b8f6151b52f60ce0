import { chunked } from '../../src/lib/chunked.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { cli, at } from '../support/run-cli.ts';
import type { Effort, Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const SMALL = 1_000;
/** Users that the pass issues. */
const WAITING = 100;

/** Commands of Redis in one pass of a drain and in one `inspect`, with few and with many issued coupons. */
export async function calls({ large }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const commands: Record<'drain' | 'inspect', number[]> = { drain: [], inspect: [] };
  for (const issued of [SMALL, large]) {
    const couponId = `issued-${issued}`;
    await issuedCampaign(stores, couponId, issued, issued + WAITING);
    const users = Array.from({ length: WAITING }, (_, i) => ({ userId: `late-${i}`, requestId: 'r' }));
    await stores.admission.admit(couponId, users);
    commands.inspect.push(await counted(stores, ['inspect', 'coupon', couponId]));
    commands.drain.push(await counted(stores, ['drain', couponId, '--once']));
  }
  return (['drain', 'inspect'] as const).map((command) => {
    const [few, many] = commands[command] as [number, number];
    return {
      id: `calls-${command}`,
      name: `commands of Redis in ${command === 'drain' ? 'a pass of drain' : 'inspect'} at ${large} issued coupons : at ${SMALL}`,
      value: many / few,
      bound: { atMost: 1.05 },
      detail: `${many} and ${few}`,
    };
  });
}

const CAMPAIGNS = 10;

/** Commands of Redis for one frame of `top` over ten campaigns, with few and with many waiting users. */
export async function topCalls({ large }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const ids = Array.from({ length: CAMPAIGNS }, (_, i) => `campaign-${i}`);
  for (const id of ids) await stores.seed(id, large);
  const commands: number[] = [];
  let waiting = 0;
  for (const wanted of [SMALL, large]) {
    for (const id of ids) await queueUsers(stores, id, waiting / CAMPAIGNS, wanted / CAMPAIGNS);
    waiting = wanted;
    commands.push(await counted(stores, ['top', '--once']));
  }
  const [few, many] = commands as [number, number];
  return [
    {
      id: 'calls-top',
      name: `commands of Redis in a frame of top at ${large} waiting users : at ${SMALL}`,
      value: many / few,
      bound: { atMost: 1 },
      detail: `${many} and ${few}`,
    },
  ];
}

async function queueUsers({ redis }: OwnStores, couponId: string, from: number, to: number): Promise<void> {
  const keys = couponKeys(couponId, 'plain');
  const now = Date.now() * 1_000;
  for (const chunk of chunked(
    Array.from({ length: to - from }, (_, i) => from + i),
    1_000,
  )) {
    await redis.zadd(keys.queue, ...chunk.flatMap((i) => [now + i, `user-${i}`]));
    await redis.hset(keys.admitted, ...chunk.flatMap((i) => [`user-${i}`, `${now + i}:r`]));
  }
}

/** Commands while a command line runs, with those that its scripts call. */
async function counted(stores: OwnStores, argv: readonly string[]): Promise<number> {
  const before = await total(stores);
  const { exitCode, stderr } = await cli([...argv, ...at(stores)]);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr}`);
  return (await total(stores)) - before;
}

async function total({ redis }: OwnStores): Promise<number> {
  const stats = await redis.info('commandstats');
  const others = [...stats.matchAll(/^cmdstat_(?!info)\S+?:calls=(\d+)/gm)];
  return others.reduce((sum, [, count]) => sum + Number(count), 0);
}
