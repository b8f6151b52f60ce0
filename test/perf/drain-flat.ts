import { randomUUID } from 'node:crypto';
import { drainLoop } from '../../src/drain/loop.ts';
import { chunked } from '../../src/lib/chunked.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { couponKeys } from '../../src/stores/redis/keys.ts';
import { median, type Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

const ROUNDS = 5;
/** Rows of one measurement. */
const ROWS = 10_000;
const ISSUED = 300_000;
/** Bounds of the bare insert's rows a second over the drain's: 0.4 of it at batch 100, 0.5 at 1,000. */
const BATCHES = [
  { batch: 100, bare: 2.5 },
  { batch: 1_000, bare: 2 },
] as const;

/**
 * What a row costs a drain on a coupon without rows, and on one with 300,000, turn by turn with the same rows written by bare inserts of
 * the same size that count them in the coupon: nothing of a drain but the ledger's part.
 */
export async function drainFlat(): Promise<Figure[]> {
  await using stores = await ownStores();
  const figures: Figure[] = [];
  for (const { batch, bare } of BATCHES) {
    const large = `large-${batch}`;
    await issuedCampaign(stores, large, ISSUED, ISSUED + ROUNDS * ROWS);
    const micros = { fresh: [] as number[], large: [] as number[], bare: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const fresh = `fresh-${batch}-${round}`;
      await stores.seed(fresh, ROWS);
      micros.fresh.push(await drained(stores, fresh, batch, `r${round}-`));
      micros.large.push(await drained(stores, large, batch, `r${round}-`));
      micros.bare.push(await inserted(stores, `bare-${batch}-${round}`, batch));
    }
    const [perFresh, perLarge, perBare] = [median(micros.fresh), median(micros.large), median(micros.bare)];
    const us = (value: number): string => `${value.toFixed(1)} µs`;
    figures.push(
      {
        name: `a row of a drain at ${ISSUED} issued rows over one at ${ROWS}, batch ${batch}`,
        value: perLarge / perFresh,
        bound: 1.2,
        detail: `${us(perLarge)} and ${us(perFresh)}`,
      },
      {
        name: `a row of a drain over one of a bare insert, batch ${batch}`,
        value: perFresh / perBare,
        bound: bare,
        detail: `${us(perFresh)} and ${us(perBare)}`,
      },
    );
  }
  return figures;
}

/** Microseconds a row. */
async function drained(stores: OwnStores, couponId: string, batch: number, prefix: string): Promise<number> {
  const { claims, ledger, redis } = stores;
  const keys = couponKeys(couponId, 'plain');
  const now = Date.now() * 1_000;
  const users = Array.from({ length: ROWS }, (_, i) => `${prefix}${i}`);
  for (const chunk of chunked([...users.entries()], 1_000)) {
    await redis.zadd(keys.queue, ...chunk.flatMap(([i, userId]) => [now + i, userId]));
    await redis.hset(keys.admitted, ...chunk.flatMap(([i, userId]) => [userId, `${now + i}:${randomUUID()}`]));
  }
  await redis.hincrby(keys.coupon, 'stock', -ROWS);
  const options = {
    couponIds: [couponId],
    batch,
    leaseMs: 30_000,
    intervalMs: 1_000,
    worker: 'perf',
    keyStyle: 'plain',
    scan: false,
    eager: true,
    until: 'empty' as const,
    patienceMs: 0,
  };
  const quiet = { pass: () => undefined, outage: () => undefined, recovered: () => undefined };
  const coupons = redisCoupons(stores.connection, 'plain');
  const began = performance.now();
  const totals = await drainLoop({ claims, coupons, ledger }, options, quiet, systemClock, new AbortController().signal);
  if (totals.issued !== ROWS) throw new Error(`${totals.issued} of ${ROWS} were issued`);
  return ((performance.now() - began) * 1_000) / ROWS;
}

/** Microseconds a row. */
async function inserted({ database, seed }: OwnStores, couponId: string, batch: number): Promise<number> {
  await seed(couponId, ROWS);
  const users = Array.from({ length: ROWS }, (_, i) => `user-${i}`);
  const text = `
    WITH inserted AS (
      INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
      SELECT $1, user_id, now(), 1, 'bare', 1, 1 FROM unnest($2::text[]) AS row (user_id) RETURNING 1
    )
    UPDATE coupons SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted) WHERE id = $1`;
  const began = performance.now();
  for (const chunk of chunked(users, batch)) await database.execute({ name: 'bare', text, values: [couponId, chunk] });
  return ((performance.now() - began) * 1_000) / ROWS;
}
