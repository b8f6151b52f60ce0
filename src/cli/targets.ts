import { usageError } from '../lib/errors.ts';
import { shellQuoted } from '../lib/suggested-command.ts';
import type { Context } from './context.ts';
import { checkRedisUrl } from './settings.ts';

/** Loopback names and addresses: 127.0.0.0/8 and ::1 (RFC 1122, RFC 4291). */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Refuses to let a baseline near stores that are not this machine's: it breaks the coupons that it serves.
 *
 * @throws CouponError `STRATEGY_REFUSED`
 */
export function requireLoopbackStores(context: Context, strategy: string): void {
  for (const name of ['redisUrl', 'databaseUrl'] as const) {
    const { value } = context.settings.get(name);
    // What is no URL is refused by whoever opens it, in better words.
    if (!URL.canParse(value) || isLoopback(new URL(value).hostname)) continue;
    throw usageError(
      'STRATEGY_REFUSED',
      `--strategy ${strategy} is for comparison only, and ${name === 'redisUrl' ? 'Redis' : 'the database'} is not on this machine`,
      'Use stores on 127.0.0.1 (`coupon-cli dev up` starts some), or leave --strategy out.',
    );
  }
}

/**
 * Refuses to write simulated data to, or to delete from, a host that is not this machine, unless it was named.
 *
 * @throws CouponError `TARGET_REFUSED`
 */
export function requireAllowedHost(url: string, allowed: string | readonly string[] | undefined, what: string): void {
  let host: string;
  try {
    host = new URL(url).hostname;
  } catch {
    throw usageError('BAD_URL', `${what}: the URL cannot be used`, 'Write a full URL, such as http://127.0.0.1:8080.');
  }
  if (isLoopback(host) || [allowed].flat().includes(host)) return;
  throw usageError(
    'TARGET_REFUSED',
    `${what} would touch ${host}, which is not this machine`,
    `If that is what you want, add --allow-target ${shellQuoted(host)}.`,
  );
}

export function requireLocalStores(context: Context, allowed: string | undefined, what: string): void {
  requireAllowedHost(checkRedisUrl(context.settings.get('redisUrl').value), allowed, what);
  requireAllowedHost(context.settings.get('databaseUrl').value, allowed, what);
}
