/** How a coupon stands in both stores right after a blow. */
import type { Ledger } from '../../src/stores/postgres/ledger.ts';
import type { RedisReader } from '../../src/campaign/ports/redis-reader.ts';
import { CouponError } from '../../src/lib/errors.ts';
import type { Loss } from './result.ts';

type Stores = { reader: RedisReader; ledger: Ledger; sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> };

/** Whether our own connections have come back. */
export async function reachable({ reader, ledger }: Stores): Promise<boolean> {
  try {
    await reader.now();
    await ledger.coupons();
    return true;
  } catch (error) {
    if (error instanceof CouponError && error.kind === 'unreachable') return false;
    throw error;
  }
}

/** Ids of users whom either store knows. */
export type Known = Set<string>;

export async function knownUsers({ reader, sql }: Stores, couponId: string): Promise<Known> {
  const known: Known = new Set();
  for (const source of ['admitted', 'waiting'] as const) {
    for await (const ids of reader.walk(couponId, source)) for (const id of ids) known.add(id);
  }
  for (const row of await sql('SELECT user_id FROM issued_coupons WHERE coupon_id = $1', [couponId])) known.add(row['user_id'] as string);
  return known;
}

/**
 * What there is for the program to notice, by our own comparison: one store is behind the other. A Redis that lost only users whom no
 * worker had taken to the ledger yet is not. Each store is read before the one that it is to be ahead of, for workers go on meanwhile.
 */
export async function noticeable({ reader, ledger }: Stores, couponId: string): Promise<Loss['noticed']> {
  const first = await ledger.coupon(couponId);
  const inRedis = await reader.coupon(couponId);
  const then = await ledger.coupon(couponId);
  if (!first || !then) throw new Error(`the ledger has no coupon ${couponId} any more`);
  if (!inRedis) return 'gone';
  const behind = inRedis.fence < first.maxFence || inRedis.acked > then.maxFence || inRedis.epoch !== then.epoch;
  return behind ? 'suspect' : null;
}
