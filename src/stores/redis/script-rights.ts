/**
 * The commands that each Lua script runs, by the key that it runs them on. The scripts ask for all of them before they do anything (see
 * `script.ts`), and `stores/rights` makes the access list of a Redis user of it. A test holds this against the scripts themselves.
 */
import type { CouponKeys } from './keys/keys.ts';

/** A key of ours, the index of all coupons, or `none` for commands without a key. */
export type KeyName = keyof CouponKeys | 'index' | 'none';

/** Names of commands, apart by spaces. */
export type KeyRights = Readonly<Partial<Record<KeyName, string>>>;

/**
 * A whole command, to ask Redis whether a user may run it: it finds the keys by their places, and Redis 7.0 crashes where an argument is
 * missing that says how many keys there are.
 *
 * @returns the words that follow the key, or the command itself where it has no key
 */
export const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  eval: ['return 0', '0'],
  evalsha: ['0000000000000000000000000000000000000000', '0'],
  hdel: ['field'],
  hexists: ['field'],
  hget: ['field'],
  hincrby: ['field', '0'],
  hmget: ['field'],
  hscan: ['0'],
  hset: ['field', ''],
  hsetnx: ['field', ''],
  sadd: ['member'],
  scan: ['0'],
  select: ['0'],
  set: [''],
  srem: ['member'],
  wait: ['0', '0'],
  zadd: ['0', 'member'],
  zcount: ['0', '0'],
  zmscore: ['member'],
  zrange: ['0', '0'],
  zrangebyscore: ['0', '0'],
  zrank: ['member'],
  zrem: ['member'],
  zscan: ['0'],
  zscore: ['member'],
};

export const SCRIPT_RIGHTS = {
  admit: {
    none: 'time',
    coupon: 'exists hmget hincrby hset',
    queue: 'zcard zmscore zadd',
    admitted: 'hlen hmget hset',
    leases: 'zcard zscore',
    dead: 'hlen hexists',
    issued: 'exists type',
  },
  'read-refusal': { none: 'time', coupon: 'hmget', queue: 'zcard', admitted: 'hlen' },
  claim: {
    none: 'time',
    coupon: 'exists hmget hset hincrby',
    queue: 'zcard zadd zrangebyscore zrem',
    admitted: 'hlen hmget hset',
    leases: 'zcard zrangebyscore zrange zadd zrem',
    dead: 'hlen hmget hset',
    claims: 'hlen hget hmget hset hdel',
  },
  ack: {
    coupon: 'hget hmget hset hincrby',
    queue: 'zcard zrem',
    leases: 'zcard zrem',
    claims: 'hlen hdel',
    dead: 'hlen hmget hdel',
    issued: 'exists hmget type hset hdel',
  },
  release: { coupon: 'hget', queue: 'zcard zadd', leases: 'zcard zrem', claims: 'hget' },
  bury: { coupon: 'hget', queue: 'zcard zrem', leases: 'zcard zrem', dead: 'hlen hset', claims: 'hget hset' },
  retry: { coupon: 'hget hincrby', queue: 'zcard zadd', admitted: 'hget', dead: 'hget hdel' },
  drop: { coupon: 'hmget hincrby', queue: 'zcard zrem', admitted: 'hlen hexists hdel', dead: 'hget hdel', claims: 'hlen hdel' },
  verify: { coupon: 'exists hmget hset hdel', life: 'set' },
  suspect: { coupon: 'hget hset' },
  seed: {
    coupon: 'exists hget hmget hset',
    queue: 'exists',
    admitted: 'exists',
    leases: 'exists',
    dead: 'exists',
    claims: 'exists',
    life: 'set',
  },
  retire: { coupon: 'type hset' },
  change: { coupon: 'exists hmget hincrby hset' },
  adopt: {
    none: 'time',
    coupon: 'hget hset',
    queue: 'zcard zscore zadd',
    admitted: 'hlen hget hset',
    leases: 'zcard zscore',
    dead: 'hlen hexists',
    claims: 'hlen hget hset',
  },
  requeue: {
    none: 'time',
    coupon: 'hget',
    queue: 'zcard zscore zadd',
    admitted: 'hget',
    leases: 'zscore zrem',
    dead: 'hexists',
    claims: 'hlen hget hset',
  },
  rehash: { coupon: 'hget', issued: 'hlen hget hset hdel' },
  'evict-excess': {
    none: 'time',
    coupon: 'hget hset',
    queue: 'zcard zrem',
    admitted: 'hlen hexists',
    leases: 'zscore zrem',
    dead: 'hvals hget hset',
    claims: 'hlen hdel',
  },
  forget: {
    coupon: 'hmget hset',
    queue: 'zscore zadd zrem',
    admitted: 'hget hexists hset hdel',
    leases: 'zscore zadd zrem',
    dead: 'hget hset hdel',
    claims: 'hget hset hdel',
    issued: 'hgetall hset del',
  },
  bind: { coupon: 'hmget exists hset hsetnx', life: 'set' },
  'take-over': { coupon: 'hmget', queue: 'zcard zrem zadd', admitted: 'hlen hsetnx' },
  'finish-adoption': { coupon: 'hmget hget hdel hset', admitted: 'hlen', life: 'set' },
  rewritten: { coupon: 'hmget hdel hset', queue: 'zrange', admitted: 'hlen hget', dead: 'hvals hkeys', claims: 'hvals', life: 'get' },
  restore: { coupon: 'hget hmget hset hdel', admitted: 'hlen hget', dead: 'hvals hkeys', queue: 'zrange', claims: 'hvals' },
  use: { issued: 'exists hget hset' },
  'compare-rows': {
    admitted: 'hlen hmget',
    queue: 'zcard zmscore',
    leases: 'zcard zmscore',
    claims: 'hlen hmget',
    dead: 'hlen hmget',
    issued: 'hmget',
  },
  'read-leases': { leases: 'zrange zcount', claims: 'hget' },
  'read-users': { admitted: 'hmget', queue: 'zmscore', leases: 'zmscore', claims: 'hmget', dead: 'hmget', issued: 'hgetall type' },
  'try-rights': {},
} as const satisfies Record<string, KeyRights>;
