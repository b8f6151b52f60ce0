import { CouponError } from '../../../lib/errors.ts';
import { parameterName, splitStoreUrl, type RefuseUrl, type StoreUrl } from '../../../lib/store-url.ts';

/** What a Redis URL asks for, in full: the client gets nothing but this. */
export interface RedisTarget {
  /** Of a socket: its path. Of sentinels: the first one. */
  host: string;
  port: number;
  /** A Unix socket instead of host and port. */
  socket: string | null;
  /** Who knows which server is the primary. */
  sentinel: SentinelTarget | null;
  /** Null: the user of the server that is called default. */
  user: string | null;
  /** Null: no login. */
  password: string | null;
  database: number;
  tls: boolean;
  /** 0: whichever kind of address the name has. */
  family: 0 | 4 | 6;
  /** The URL for people to read, without the password. */
  shown: string;
}

export interface SentinelTarget {
  hosts: readonly { host: string; port: number }[];
  /** Name of the primary, as the sentinels know it. */
  master: string;
  user: string | null;
  password: string | null;
}

const FIX =
  'Write redis://user:password@host:6379/0, rediss:// for TLS, unix:///path/redis.sock, or redis-sentinel://host1:26379,host2:26379/0#primary.';
const SCHEMES = ['redis', 'rediss', 'unix', 'redis+unix', 'redis+socket', 'redis-socket'];
const SENTINEL_SCHEMES = ['redis-sentinel', 'rediss-sentinel', 'redis+sentinel', 'rediss+sentinel'];
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** Parameters that other clients take, and what to do instead. */
const INSTEAD: readonly (readonly [names: string, fix: string])[] = [
  [
    'maxRetriesPerRequest enableOfflineQueue autoResendUnfulfilledCommands enableReadyCheck retryStrategy reconnectOnError ' +
      'commandTimeout connectTimeout socketTimeout lazyConnect enableAutoPipelining readOnly protocol timeout',
    'Leave it out: coupon-cli sets it itself, so that no command is sent twice.',
  ],
  ['keyPrefix', 'Leave it out, and use --key-prefix (COUPON_KEY_PREFIX), which holds for patterns too.'],
  ['tls ssl', 'Leave it out: rediss:// asks for TLS, redis:// does not.'],
  ['ssl_cert_reqs', 'Leave it out: certificates are always checked. NODE_EXTRA_CA_CERTS=FILE names an authority of your own.'],
  ['user username password auth', 'Write user and password before the host: redis://user:password@host:6379.'],
  ['sentinels name role', 'Write redis-sentinel://host1:26379,host2:26379/0#primary.'],
  ['sentinelMasterId sentinelUsername sentinelPassword', 'It belongs to redis-sentinel://.'],
];
const SENTINEL_PARAMETERS = ['sentinelMasterId', 'sentinelUsername', 'sentinelPassword'];

/**
 * The target of a Redis URL: a server, a Unix socket, or the primary that sentinels name (in the form of Lettuce, which Spring teams have,
 * or as `redis+sentinel://host1,host2/primary/0`). Every word of it is honoured or refused by its name.
 *
 * @throws CouponError `BAD_REDIS_URL`, which repeats nothing of the URL
 */
export function parseRedisUrl(text: string): RedisTarget {
  // The name of the primary is all that may stand behind a #.
  const [, whole = text, fragment] = /^(rediss?[-+]sentinel:\/\/.*)#([\w.-]+)$/is.exec(text) ?? [];
  const url = splitStoreUrl(whole, [...SCHEMES, ...SENTINEL_SCHEMES], refuse, true);
  if (SENTINEL_SCHEMES.includes(url.scheme)) return sentinelTarget(url, fragment);
  if (url.hosts.length > 1) throw refuse('it names several hosts', 'Name one host; a list of sentinels begins with redis-sentinel://.');
  if (url.scheme !== 'redis' && url.scheme !== 'rediss') return socketTarget(url);
  const { scheme, user, password, host, port, path, params } = url;
  if (host.startsWith('/')) return socketTarget({ ...url, path: host.slice(1), host: '' });
  if (host === '') throw refuse('it names no host');
  checkParameters(url, ['db', 'family']);
  const database = databaseNumber(path, params.get('db'));
  return {
    host,
    port: port ?? REDIS_PORT,
    socket: null,
    sentinel: null,
    ...login(user, password),
    database: database ?? 0,
    tls: scheme === 'rediss',
    family: familyOf(params),
    shown:
      `${scheme}://${shownLogin(url)}${host.includes(':') ? `[${host}]` : host}` +
      `:${port ?? REDIS_PORT}${database === null ? '' : `/${database}`}${params.has('family') ? `?family=${params.get('family')}` : ''}`,
  };
}

function socketTarget(url: StoreUrl): RedisTarget {
  const { user, password, host, path, params } = url;
  if (host !== '') throw refuse('a socket has no host', 'Write three slashes: unix:///run/redis/redis.sock.');
  if (path === '') throw refuse('it names no socket');
  checkParameters(url, ['db']);
  const database = databaseNumber('', params.get('db'));
  const socket = `/${path}`;
  return {
    host: socket,
    port: 0,
    socket,
    sentinel: null,
    ...login(user, password),
    database: database ?? 0,
    tls: false,
    family: 0,
    shown: `unix://${shownLogin(url)}${socket}${database === null ? '' : `?db=${database}`}`,
  };
}

function sentinelTarget(url: StoreUrl, fragment: string | undefined): RedisTarget {
  const { scheme, user, password, params } = url;
  checkParameters(url, ['db', 'family', ...SENTINEL_PARAMETERS]);
  const hosts = url.hosts.map(({ host, port }) => ({ host, port: port ?? SENTINEL_PORT }));
  if (hosts.some(({ host }) => host === '')) throw refuse('it names no sentinel');
  const parts = url.path.split('/').filter((part) => part !== '');
  // Lettuce has the database there, others the name of the primary and then the database.
  const named = scheme.includes('+') ? parts.shift() : undefined;
  const names = [fragment, params.get('sentinelMasterId'), named].filter((name) => name !== undefined);
  const [master] = names;
  if (master === undefined)
    throw refuse(
      'it does not name the primary',
      'Write its name, as the sentinels know it, behind a #: redis-sentinel://host:26379/0#primary.',
    );
  if (new Set(names).size > 1) throw refuse('it names two primaries', 'Name it once, behind a #.');
  const database = databaseNumber(parts.join('/'), params.get('db'));
  return {
    ...hosts[0]!,
    socket: null,
    sentinel: { hosts, master, user: params.get('sentinelUsername') ?? null, password: params.get('sentinelPassword') ?? null },
    ...login(user, password),
    database: database ?? 0,
    tls: scheme.startsWith('rediss'),
    family: familyOf(params),
    shown:
      `${scheme.replace('+', '-')}://${shownLogin(url)}${hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')}` +
      `${database === null ? '' : `/${database}`}#${master}`,
  };
}

function checkParameters({ params }: StoreUrl, known: readonly string[]): void {
  for (const name of params.keys()) {
    if (known.includes(name)) continue;
    const [, fix] = INSTEAD.find(([names]) => names.split(' ').includes(name)) ?? [];
    throw refuse(`${parameterName(name)} is not supported`, fix ?? 'Leave it out; db and family are supported.');
  }
}

/** A user without a password logs in all the same: as one with `nopass`. */
function login(user: string | null, password: string | null): Pick<RedisTarget, 'user' | 'password'> {
  return { user: user || null, password: password || (user ? '' : null) };
}

function shownLogin({ user, password }: StoreUrl): string {
  return user || password ? `${encodeURIComponent(user ?? '')}:***@` : '';
}

function familyOf(params: StoreUrl['params']): 0 | 4 | 6 {
  const family = params.get('family') ?? '0';
  if (family !== '0' && family !== '4' && family !== '6') throw refuse('the parameter family is not 0, 4 or 6');
  return Number(family) as 0 | 4 | 6;
}

function databaseNumber(path: string, parameter: string | undefined): number | null {
  const numbers = [path, parameter]
    .filter((text) => text !== undefined && text !== '')
    .map((text) => (/^\d+$/.test(text!) ? Number(text) : -1));
  if (parameter === '' || numbers.some((number) => number < 0)) {
    throw refuse('its database is not a number', 'Write the number behind the port: redis://host:6379/5.');
  }
  if (numbers.some((number) => !Number.isSafeInteger(number))) {
    throw refuse(
      'the number of its database is too large',
      'A Redis has 16 databases, 0 to 15, unless its setting `databases` says otherwise.',
    );
  }
  if (new Set(numbers).size > 1) throw refuse('it names two databases', 'Give the number once: redis://host:6379/5.');
  return numbers[0] ?? null;
}

const refuse: RefuseUrl = (why, fix = FIX) =>
  new CouponError({ code: 'BAD_REDIS_URL', kind: 'usage', message: `the Redis URL cannot be used: ${why}`, fix });

/** `host:port`, a path, or the name of a primary, for messages. */
export function addressOf({ host, port, socket, sentinel }: Pick<RedisTarget, 'host' | 'port' | 'socket' | 'sentinel'>): string {
  if (socket !== null) return socket;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return sentinel === null ? address : `${sentinel.master} (by the sentinel ${address}${sentinel.hosts.length > 1 ? ' and others' : ''})`;
}
