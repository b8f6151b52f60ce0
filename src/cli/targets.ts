import { usageError } from '../core/errors.ts';
import type { Context } from './context.ts';

/** Loopback names and addresses: 127.0.0.0/8 and ::1 (RFC 1122, RFC 4291). */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Refuses to write simulated data to, or to delete from, a host that is not this machine, unless it was named.
 *
 * @throws CouponError `TARGET_REFUSED`
 */
export function requireAllowedHost(url: string, allowed: string | undefined, what: string): void {
  let host: string;
  try {
    host = new URL(url).hostname;
  } catch {
    throw usageError('BAD_URL', `${what}: the URL cannot be used`, 'Write a full URL, such as http://127.0.0.1:8080.');
  }
  if (isLoopback(host) || host === allowed) return;
  throw usageError(
    'TARGET_REFUSED',
    `${what} would touch ${host}, which is not this machine`,
    `If that is what you want, add --allow-target ${host}.`,
  );
}

export function requireLocalStores(context: Context, allowed: string | undefined, what: string): void {
  requireAllowedHost(context.settings.get('redisUrl').value, allowed, what);
  requireAllowedHost(context.settings.get('databaseUrl').value, allowed, what);
}
