import { usageError } from '../lib/errors.ts';
import { shellQuoted } from '../lib/text/suggested-command.ts';
import { parseDatabaseUrl } from '../stores/postgres/connection/url.ts';
import { parseRedisUrl } from '../stores/redis/connection/url.ts';
import type { Context } from './context.ts';

export type StoreSetting = 'redisUrl' | 'databaseUrl';

/** Loopback names and addresses, 127.0.0.0/8 and ::1 (RFC 1122, RFC 4291), and the folder of a socket. */
/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare.startsWith('/') || bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Refuses to let a baseline near stores that are not this machine's: it breaks the coupons that it serves.
 *
 * @throws CouponError `STRATEGY_REFUSED`, `BAD_REDIS_URL`, `BAD_DATABASE_URL`
 */
export function requireLoopbackStores(context: Context, strategy: string): void {
  for (const name of ['redisUrl', 'databaseUrl'] as const) {
    if (storeHosts(context, name).every(isLoopback)) continue;
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
  if (!URL.canParse(url)) {
    throw usageError('BAD_URL', `${what}: the URL cannot be used`, 'Write a full URL, such as http://127.0.0.1:8080.');
  }
  requireAllowed(new URL(url).hostname, allowed, what);
}

/**
 * The same for a store of the settings, wherever its URL or its variables lead.
 *
 * @throws CouponError `TARGET_REFUSED`, `BAD_REDIS_URL`, `BAD_DATABASE_URL`
 */
export function requireAllowedStore(
  context: Context,
  name: StoreSetting,
  allowed: string | readonly string[] | undefined,
  what: string,
): void {
  for (const host of storeHosts(context, name)) requireAllowed(host, allowed, what);
}

export function requireLocalStores(context: Context, allowed: string | readonly string[] | undefined, what: string): void {
  requireAllowedStore(context, 'redisUrl', allowed, what);
  requireAllowedStore(context, 'databaseUrl', allowed, what);
}

function requireAllowed(host: string, allowed: string | readonly string[] | undefined, what: string): void {
  // Names of hosts have no case.
  if (isLoopback(host) || [allowed].flat().some((one) => one?.toLowerCase() === host.toLowerCase())) return;
  throw usageError(
    'TARGET_REFUSED',
    `${what} would touch ${host}, which is not this machine`,
    `If that is what you want, add --allow-target ${shellQuoted(host)}.`,
  );
}

/** All that a URL may lead to; a socket is on this machine. */
function storeHosts({ settings }: Context, name: StoreSetting): string[] {
  const { value } = settings.get(name);
  if (name === 'databaseUrl') return parseDatabaseUrl(value, settings.variables).hosts.map(({ host }) => host);
  const { host, sentinel } = parseRedisUrl(value);
  return sentinel === null ? [host] : sentinel.hosts.map((one) => one.host);
}
