import { COUPON_INDEX, couponKeys, type KeyStyle } from '../redis/keys/keys.ts';
import type { KeyName } from '../redis/script-rights.ts';
import type { Rights } from './rights.ts';

/** How the keys of an installation are spelled. */
export interface KeySpelling {
  style: KeyStyle;
  prefix: string;
}

/** In place of a password, which is nobody else's to choose. */
export const PASSWORD = 'PASSWORD';

/** Commands and key patterns, without repeats; empty lists: Redis is not used. */
export function redisRules({ redis }: Pick<Rights, 'redis'>, keys: KeySpelling): { keys: string[]; commands: string[] } {
  const names = [...redis.keys()].filter((name) => name !== 'none');
  const commands = new Set([...redis.values()].flat());
  // The keys may lie in a cluster: which server holds which is asked for.
  if (commands.size > 0 && keys.style === 'hash-tag') commands.add('cluster|slots');
  return { keys: names.map((name) => keyPattern(name, keys)).toSorted(), commands: [...commands].toSorted() };
}

/** @returns for `redis-cli`; null: Redis is not used */
export function redisAcl(rights: Rights, user: string, spelling: KeySpelling): string | null {
  const { keys, commands } = redisRules(rights, spelling);
  if (commands.length === 0) return null;
  const rules = ['on', `>${PASSWORD}`, 'resetkeys', ...keys.map((key) => `~${key}`), 'resetchannels', '-@all'];
  return ['ACL', 'SETUSER', user, ...rules, ...commands.map((command) => `+${command}`)].join(' ');
}

/** The keys of all coupons, as a pattern of Redis; what is in a prefix or a style means itself there. */
export function keyPattern(name: Exclude<KeyName, 'none'>, spelling: KeySpelling): string {
  return keyOf(name, '*', '*', spelling);
}

/** The key of one coupon, and where it is a user's, of that user. */
export function keyOf(name: Exclude<KeyName, 'none'>, couponId: string, userId: string, { style, prefix }: KeySpelling): string {
  if (name === 'index') return `${prefix}${COUPON_INDEX}`;
  const keys = couponKeys(couponId, style);
  return `${prefix}${name === 'issued' ? keys.issued(userId) : keys[name]}`;
}
