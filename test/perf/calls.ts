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
