import type { TestStores } from './stores.ts';

/** All that both stores hold, as one text: keys, members, fields, values and rows. */
export async function everything({ redis, sql }: Pick<TestStores, 'redis' | 'sql'>): Promise<string> {
  const parts: unknown[] = [];
  for (const key of (await redis.keys('*')).toSorted()) {
    const type = await redis.type(key);
    parts.push([key, type === 'hash' ? await redis.hgetall(key) : type === 'zset' ? await redis.zrange(key, 0, '-1', 'WITHSCORES') : type]);
  }
  for (const table of ['coupons', 'issued_coupons', 'operator_log'])
    parts.push(await sql(`SELECT ${table}::text AS row FROM ${table} ORDER BY 1`));
  return JSON.stringify(parts);
}
