/** A coupon as another service writes it into Redis, with plain commands. */
import type { Redis } from 'ioredis';

/** The bytes of a text as the JDK serializer writes it. */
export const jdk = (text: string): Buffer => Buffer.from([0xac, 0xed, 0, 5, 0x74, 0, Buffer.byteLength(text), ...Buffer.from(text)]);

/** Milliseconds; December 2025. */
export const ASKED = 1_764_547_200_000;

/** As the report describes it: 100 coupons, 3 users wait, 2 have one, one of them used. */
export async function reportCoupon(redis: Redis, id = '42'): Promise<void> {
  await redis.hset(`coupon:${id}`, { name: '여름맞이 쿠폰', total: 100, stock: 95 });
  for (const [i, user] of ['kim', 'lee', 'park'].entries()) await redis.zadd(`coupon_waiting_queue:${id}`, 'NX', ASKED + i, user);
  for (const [user, usedAt] of [
    ['choi', ''],
    ['jung', '2025-12-02T03:04:05Z'],
  ] as const)
    await redis.hset(`issued_coupon:coupon:${id}-user:${user}`, {
      userId: user,
      couponId: id,
      ex_date: '2026-12-31T23:59:59+09:00',
      used_at: usedAt,
    });
}

/** As a RedisTemplate with string keys and GenericJackson2JsonRedisSerializer for everything else writes it. */
export async function springCoupon(redis: Redis, id = '42'): Promise<void> {
  await redis.hset(`coupon:${id}`, {
    '"@class"': '"com.shop.Coupon"',
    '"name"': '"Winter"',
    '"total"': '["java.lang.Long",100]',
    '"stock"': '95',
    '"opens_at"': '[2025,12,1,10,0]',
  });
  await redis.zadd(
    `coupon_waiting_queue:${id}`,
    ASKED,
    '"kim"',
    ASKED + 1,
    '["java.lang.Long",111]',
    ASKED + 2,
    '{"@class":"com.shop.Ask","userId":12345678901234567}',
  );
  await redis.hset(`issued_coupon:coupon:${id}-user:7`, {
    '"userId"': '7',
    '"couponId"': '42',
    '"ex_date"': '"2026-12-31T23:59:59"',
    '"used_at"': 'null',
  });
  await redis.hset(`issued_coupon:coupon:${id}-user:8`, {
    '"userId"': '8',
    '"couponId"': '42',
    '"ex_date"': '[2026,12,31,23,59,59]',
    '"used_at"': '"2025-12-02T12:00"',
  });
}

/** Every key with its content, to see that nothing was changed. */
export async function contents(redis: Redis): Promise<Record<string, string>> {
  const keys = (await redis.keysBuffer('*')).toSorted(Buffer.compare);
  const all: Record<string, string> = {};
  for (const key of keys) all[key.toString('latin1')] = (await redis.dumpBuffer(key))?.toString('hex') ?? '';
  return all;
}
