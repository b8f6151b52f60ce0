import { randomUUID } from 'node:crypto';
import { couponKeys } from '../../src/stores/redis/keys/keys.ts';
import type { OwnStores } from './own-stores.ts';

const PAGE = 1_000;
/** Users in one claim, as `drain` takes them by default. */
const BATCH = 100;
/** Time between two requests. */
const STEP_US = 97;

/**
 * A coupon of which so many coupons were issued, to `user-1` to `user-n`, in both stores as admission and drain leave it. The ledger's
 * rows are made by PostgreSQL itself; Redis is written from them, the issued hashes by the `ack` of a drain.
 */
export async function issuedCampaign(stores: OwnStores, couponId: string, users: number, total = users): Promise<void> {
  const { database, ledger, claims, redis } = stores;
  await stores.seed(couponId, total);
  const lastUs = (Date.now() - 60_000) * 1_000;
  const claimsMade = Math.ceil(users / BATCH);
  await database.execute({
    text: `
      INSERT INTO issued_coupons (coupon_id, user_id, requested_at, requested_us, issued_at, expires_at, worker, fence, deliveries)
      SELECT id, 'user-' || n, to_timestamp((us / 1000) / 1000.0), us, issued_at, issued_at + valid_for_ms * interval '1 millisecond',
        'perf', fence, 1
      FROM coupons, generate_series(1, $2::integer) AS n,
        LATERAL (SELECT $3::bigint - ($2 - n) * ${STEP_US} AS us, (n - 1) / ${BATCH} + 1 AS fence) AS request,
        LATERAL (SELECT now() - ($4::integer - fence) * interval '20 milliseconds' AS issued_at) AS issue
      WHERE id = $1`,
    values: [couponId, users, lastUs, claimsMade],
  });
  const counters = 'UPDATE coupons SET issued_quantity = $2, max_fence = $3 WHERE id = $1';
  await database.execute({ text: counters, values: [couponId, users, claimsMade] });
  // Sooner or later autovacuum does this in any campaign.
  await database.execute('VACUUM ANALYZE issued_coupons');

  const keys = couponKeys(couponId, 'plain');
  const { epoch } = (await ledger.coupon(couponId))!;
  for (let after: string | undefined = ''; after !== undefined;) {
    const rows = await ledger.page(couponId, after, PAGE);
    after = rows.at(-1)?.userId;
    if (rows.length === 0) break;
    const records = rows.flatMap((row) => [row.userId, `${row.requestedUs}:${randomUUID()}`]);
    await Promise.all([redis.hset(keys.admitted, ...records), claims.ack(couponId, epoch, rows)]);
  }
  await redis.hset(keys.coupon, { stock: String(total - users), fence: String(claimsMade), last_us: String(lastUs) });
}
