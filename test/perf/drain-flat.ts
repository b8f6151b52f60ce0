import { randomUUID } from 'node:crypto';
import { drainLoop } from '../../src/drain/loop.ts';
import { chunked } from '../../src/lib/chunked.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { redisCoupons } from '../../src/stores/redis/coupons.ts';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import { alternating, median, medianRatio, type Effort, type Figure } from './figures.ts';
import { issuedCampaign } from './issued-campaign.ts';
import { ownStores, type OwnStores } from './own-stores.ts';

/** Rows of one measurement of growth. */
const ROWS = 10_000;
/** Of one beside bare inserts: the first batch of a drain goes alone, and should be one among many. */
const MANY_ROWS = 30_000;
const ISSUED = 300_000;
/** Rows a second at least, as a share of the bare insert's. */
const BATCHES = [
  { batch: 100, share: 0.4 },
  { batch: 1_000, share: 0.5 },
] as const;

/**
 * What a row costs a drain on a coupon without rows, and on one with 300,000, turn by turn with the same rows written by bare inserts of
 * the same size that count them in the coupon: nothing of a drain but the ledger's part.
 */
export async function drainFlat({ rounds }: Effort): Promise<Figure[]> {
  await using stores = await ownStores();
  const figures: Figure[] = [];
  for (const { batch, share } of BATCHES) {
    const large = `large-${batch}`;
    await issuedCampaign(stores, large, ISSUED, ISSUED + rounds * ROWS);
    const micros = { fresh: [] as number[], large: [] as number[], many: [] as number[], bare: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      const fresh = `fresh-${batch}-${round}`;
      await stores.seed(fresh, ROWS);
      const many = `many-${batch}-${round}`;
      await stores.seed(many, MANY_ROWS);
      const rows = { batch, rows: ROWS, prefix: `r${round}-` };
      const measured = [
        async () => micros.fresh.push(await drained(stores, fresh, rows)),
        async () => micros.large.push(await drained(stores, large, rows)),
        async () => micros.many.push(await drained(stores, many, { ...rows, rows: MANY_ROWS })),
        async () => micros.bare.push(await inserted(stores, `bare-${batch}-${round}`, batch)),
      ];
      for (const measure of alternating(measured, round)) await measure();
    }
    const us = (values: readonly number[]): string => `${median(values).toFixed(1)} µs`;
    figures.push(
      {
        id: `drain-flat-${batch}`,
        name: `drain: a row at ${ISSUED} issued rows : at ${ROWS}, batch ${batch}`,
        value: medianRatio(micros.large, micros.fresh),
        bound: { atMost: 1.2 },
        detail: `${us(micros.large)} and ${us(micros.fresh)}`,
      },
      {
        id: `drain-bare-${batch}`,
        name: `drain: rows a second : bare inserts, batch ${batch}`,
        value: medianRatio(micros.bare, micros.many),
        bound: { atLeast: share },
        detail: `${us(micros.many)} and ${us(micros.bare)} a row`,
      },
    );
  }
  return figures;
}

interface Drained {
  batch: number;
  rows: number;
  /** Of the user ids. */
  prefix: string;
}

/** Microseconds a row. */
async function drained(stores: OwnStores, couponId: string, { batch, rows, prefix }: Drained): Promise<number> {
  const { claims, ledger, redis } = stores;
  const keys = couponKeys(couponId, 'plain');
  const now = Date.now() * 1_000;
  const users = Array.from({ length: rows }, (_, i) => `${prefix}${i}`);
  for (const chunk of chunked([...users.entries()], 1_000)) {
    await redis.zadd(keys.queue, ...chunk.flatMap(([i, userId]) => [now + i, userId]));
    await redis.hset(keys.admitted, ...chunk.flatMap(([i, userId]) => [userId, `${now + i}:${randomUUID()}`]));
  }
  await redis.hincrby(keys.coupon, 'stock', -rows);
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
  if (totals.issued !== rows) throw new Error(`${totals.issued} of ${rows} were issued`);
  return ((performance.now() - began) * 1_000) / rows;
}

/** Microseconds a row. */
async function inserted({ database, seed }: OwnStores, couponId: string, batch: number): Promise<number> {
  await seed(couponId, MANY_ROWS);
  const users = Array.from({ length: MANY_ROWS }, (_, i) => `user-${i}`);
  const text = `
    WITH inserted AS (
      INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, worker, fence, deliveries)
      SELECT $1, user_id, now(), 1, 'bare', 1, 1 FROM unnest($2::text[]) AS row (user_id) RETURNING 1
    )
    UPDATE coupons SET issued_quantity = issued_quantity + (SELECT count(*) FROM inserted) WHERE id = $1`;
  const began = performance.now();
  for (const chunk of chunked(users, batch)) await database.execute({ name: 'bare', text, values: [couponId, chunk] });
  return ((performance.now() - began) * 1_000) / MANY_ROWS;
}
