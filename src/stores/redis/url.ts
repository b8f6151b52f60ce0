import { usageError, type CouponError } from '../../lib/errors.ts';

export interface RedisTarget {
  host: string;
  port: number;
  username?: string;
  password?: string;
  db: number;
  /** 0: whatever the name resolves to. */
  family?: 0 | 4 | 6;
  tls: boolean;
}

const FAMILIES = [0, 4, 6] as const;

/**
 * What a `redis://` or `rediss://` URL asks for. It is read here because ioredis takes every query parameter as an option of
 * its own, among them the ones that keep a script from running twice, and another host.
 *
 * @throws CouponError `BAD_REDIS_URL`, which repeats nothing of the URL but the name of a parameter
 */
export function parseRedisUrl(text: string): RedisTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badUrl('it is not a URL');
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw badUrl('its scheme is not redis: or rediss:');
  // An unescaped / ? or # in a password ends the host too early; what follows is then a part of the password.
  if (`${url.pathname}${url.search}${url.hash}`.includes('@')) throw badPassword('there is an @ after the host');
  if (url.hostname === '') throw badUrl('it names no host');
  if (url.port === '0') throw badUrl('its port is 0');
  if (url.hash !== '') throw badPassword('it has a # part');
  const username = decoded(url.username);
  const password = decoded(url.password);
  const params = queryOf(url);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    // Without a password ioredis sends none, and AUTH needs two words; a user without one takes any.
    ...(username || password ? { ...(username ? { username } : {}), password } : {}),
    db: databaseOf(url.pathname, params.get('db')),
    ...familyOf(params.get('family')),
    tls: url.protocol === 'rediss:',
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badPassword('its user or password has a % that is no escape');
  }
}

function queryOf(url: URL): Map<string, string> {
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name !== 'db' && name !== 'family') {
      const shown = /^[A-Za-z][\w-]{0,39}$/.test(name) ? `the parameter ${name}` : 'one of its parameters';
      throw badUrl(`${shown} is not supported`, 'Only db and family may follow the "?"; remove the others.');
    }
    if (params.has(name)) throw badUrl(`the parameter ${name} is there twice`);
    params.set(name, value);
  }
  return params;
}

function databaseOf(path: string, param: string | undefined): number {
  const inPath = path === '' || path === '/' ? null : database(path.slice(1));
  const inQuery = param === undefined ? null : database(param);
  if (inPath !== null && inQuery !== null && inPath !== inQuery) {
    throw badUrl('its path and its parameter db name two databases', 'Name the database once: redis://host:6379/5.');
  }
  return inPath ?? inQuery ?? 0;
}

function database(text: string): number {
  const db = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(db)) throw badUrl('what it names is not a database number');
  return db;
}

function familyOf(param: string | undefined): Pick<RedisTarget, 'family'> {
  if (param === undefined) return {};
  const family = FAMILIES.find((known) => String(known) === param);
  if (family === undefined) throw badUrl('the parameter family is not 4, 6 or 0');
  return { family };
}

function badPassword(why: string): CouponError {
  return badUrl(why, 'Percent-encode the password (and the user): % is %25, @ is %40, / is %2F, # is %23, ? is %3F.');
}

function badUrl(why: string, fix = 'Write redis://user:password@host:6379/0, or rediss:// for TLS.'): CouponError {
  return usageError('BAD_REDIS_URL', `the Redis URL cannot be used: ${why}`, fix);
}
