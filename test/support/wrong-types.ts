import type { Redis } from 'ioredis';

/** Every type that a key may have, and how another program comes to write it. */
export const WRITERS = {
  string: (redis, key) => redis.set(key, 'x'),
  list: (redis, key) => redis.rpush(key, 'x'),
  set: (redis, key) => redis.sadd(key, 'x'),
  zset: (redis, key) => redis.zadd(key, 1, 'x'),
  hash: (redis, key) => redis.hset(key, 'x', '1'),
  stream: (redis, key) => redis.xadd(key, '*', 'x', '1'),
} as const satisfies Record<string, (redis: Redis, key: string) => Promise<unknown>>;

export type RedisType = keyof typeof WRITERS;

/** The types that are wrong where this one is expected. */
export function wrongTypes(expected: RedisType): RedisType[] {
  return (Object.keys(WRITERS) as RedisType[]).filter((type) => type !== expected);
}

/** Puts a key of another type where ours was. */
export async function occupy(redis: Redis, key: string, type: RedisType): Promise<void> {
  await redis.del(key);
  await WRITERS[type](redis, key);
}
