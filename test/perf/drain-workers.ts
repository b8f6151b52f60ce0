import { randomUUID } from 'node:crypto';
import { chunked } from '../../src/lib/chunked.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { start } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { median, medianRatio, type Effort, type Figure } from './figures.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const ROWS = 40_000;
const WORKERS = 3;

/** Rows a second of one coupon with three workers, each a process, turn by turn with one. */
export async function drainWorkers({ rounds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const perSecond = { one: [] as number[], several: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    perSecond.one.push(await drained(stores, `one-${round}`, 1));
    perSecond.several.push(await drained(stores, `several-${round}`, WORKERS));
  }
  const shown = (values: readonly number[]): string => `${Math.round(median(values))}/s`;
  return [
    {
      id: 'drain-workers',
      name: `drain: rows a second of a coupon with ${WORKERS} workers : with one`,
      value: medianRatio(perSecond.several, perSecond.one),
      bound: { atLeast: 1 },
      detail: `${shown(perSecond.several)} and ${shown(perSecond.one)}`,
    },
  ];
}

/** Between the first row and the last: how long a process takes to start is none of a drain's speed. */
async function drained(stores: OwnStores, couponId: string, workers: number): Promise<number> {
  await stores.seed(couponId, ROWS);
  const { redis, database } = stores;
  const keys = couponKeys(couponId, 'plain');
  const now = Date.now() * 1_000;
  for (const chunk of chunked(
    Array.from({ length: ROWS }, (_, i) => i),
    1_000,
  )) {
    await redis.zadd(keys.queue, ...chunk.flatMap((i) => [now + i, `user-${i}`]));
    await redis.hset(keys.admitted, ...chunk.flatMap((i) => [`user-${i}`, `${now + i}:${randomUUID()}`]));
  }
  await redis.hincrby(keys.coupon, 'stock', -ROWS);
  const drain = ['drain', couponId, '--until-empty', '--eager', '--quiet', ...at(stores)];
  const ended = await Promise.all(Array.from({ length: workers }, () => start(drain).finished));
  const failed = ended.find(({ exitCode }) => exitCode !== 0);
  if (failed) throw new Error(`drain ended with ${failed.exitCode}: ${failed.stderr}`);
  const [row] = await database.query<{ issued: number; seconds: number }>({
    text: `SELECT count(*)::integer AS issued, extract(epoch FROM max(issued_at) - min(issued_at))::float8 AS seconds
      FROM issued_coupons WHERE coupon_id = $1`,
    values: [couponId],
  });
  if (row!.issued !== ROWS) throw new Error(`${row!.issued} of ${ROWS} were issued`);
  return ROWS / row!.seconds;
}
