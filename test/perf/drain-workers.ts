import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { chunked } from '../../src/lib/chunked.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { freePort } from '../../src/stack/ports.ts';
import { start, type Running } from '../support/processes.ts';
import { at } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { alternating, median, medianRatio, type Effort, type Figure } from './figures.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const ROWS = 150_000;
/** Seldom: who looks takes from those who work. */
const LOOKED_EVERY_MS = 200;
const LONGEST_MS = 120_000;
const WORKERS = 3;

/** Rows a second of one coupon with three workers, each a process, turn by turn with one. */
export async function drainWorkers({ rounds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const perSecond = { one: [] as number[], several: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, workers] of alternating(Object.entries({ one: 1, several: WORKERS } as const), round)) {
      perSecond[name as keyof typeof perSecond].push(await drained(stores, `${name}-${round}`, workers));
    }
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

/**
 * From the first row to the last. All workers are up before there is anything to do: a process that starts takes the processors from those
 * that work, and how long it takes is none of a drain's speed.
 */
async function drained(stores: OwnStores, couponId: string, workers: number): Promise<number> {
  await stores.seed(couponId, ROWS);
  const { redis, database } = stores;
  const keys = couponKeys(couponId, 'plain');
  const now = Date.now() * 1_000;
  const users = Array.from({ length: ROWS }, (_, i) => `user-${i}`);
  for (const chunk of chunked([...users.entries()], 1_000)) {
    await redis.zadd(`later:${keys.queue}`, ...chunk.flatMap(([i, user]) => [now + i, user]));
    await redis.hset(`later:${keys.admitted}`, ...chunk.flatMap(([i, user]) => [user, `${now + i}:${randomUUID()}`]));
  }
  const running = await Promise.all(Array.from({ length: workers }, async () => ready(couponId, stores)));
  await redis
    .multi()
    .rename(`later:${keys.admitted}`, keys.admitted)
    .hincrby(keys.coupon, 'stock', -ROWS)
    .rename(`later:${keys.queue}`, keys.queue)
    .exec();
  const drainedOrEnded = async (): Promise<boolean> => {
    await delay(LOOKED_EVERY_MS);
    return (await redis.exists(keys.queue, keys.claims)) === 0 || running.some(({ child }) => child.exitCode !== null);
  };
  await until(drainedOrEnded, LONGEST_MS);
  for (const { child } of running) child.kill('SIGTERM');
  const ended = await Promise.all(running.map(({ finished }) => finished));
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

/** A worker that can reach both stores. */
async function ready(couponId: string, stores: OwnStores): Promise<Running> {
  const port = await freePort(`perf-${randomUUID()}`);
  const pace = ['--eager', '--interval', '50ms', '--quiet', '--health-port', String(port)];
  const worker = start(['drain', couponId, ...pace, ...at(stores)]);
  await until(async () => {
    if (worker.child.exitCode !== null) throw new Error(`drain ended with ${worker.child.exitCode}: ${(await worker.finished).stderr}`);
    return await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return worker;
}
