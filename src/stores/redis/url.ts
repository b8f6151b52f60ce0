import { CouponError } from '../../lib/errors.ts';
import { parameterName, splitStoreUrl, type RefuseUrl } from '../../lib/store-url.ts';

/** What a Redis URL asks for, in full: the client gets nothing but this. */
export interface RedisTarget {
  host: string;
  port: number;
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

const FIX = 'Write redis://user:password@host:6379/0, or rediss:// for TLS.';

/** Parameters that other clients take, and what to do instead. */
const INSTEAD: readonly (readonly [names: string, fix: string])[] = [
  [
    'maxRetriesPerRequest enableOfflineQueue autoResendUnfulfilledCommands enableReadyCheck retryStrategy reconnectOnError ' +
      'commandTimeout connectTimeout socketTimeout lazyConnect enableAutoPipelining readOnly protocol',
    'Leave it out: coupon-cli sets it itself, so that no command is sent twice.',
  ],
  [
    'keyPrefix',
    'Leave it out: other services read the keys as they are. A database of its own (redis://host:6379/5) keeps campaigns apart.',
  ],
  ['tls ssl', 'Leave it out: rediss:// asks for TLS, redis:// does not.'],
  ['ssl_cert_reqs', 'Leave it out: certificates are always checked. NODE_EXTRA_CA_CERTS=FILE names an authority of your own.'],
  ['user username password auth', 'Write user and password before the host: redis://user:password@host:6379.'],
  ['sentinels sentinelUsername sentinelPassword name role', 'Name the primary itself: Sentinel is not supported yet.'],
];

/**
 * The target of a `redis://` or `rediss://` URL. Every word of it is honoured or refused by its name.
 *
 * @throws CouponError `BAD_REDIS_URL`, which repeats nothing of the URL
 */
export function parseRedisUrl(text: string): RedisTarget {
  const { scheme, user, password, host, port, path, params } = splitStoreUrl(text, ['redis', 'rediss'], refuse);
  if (host === '') throw refuse('it names no host');
  if (host.startsWith('/')) throw refuse('it names a socket, which is not supported for Redis yet', 'Name a host and a port.');
  for (const name of params.keys()) {
    if (name === 'db' || name === 'family') continue;
    const [, fix] = INSTEAD.find(([names]) => names.split(' ').includes(name)) ?? [];
    throw refuse(`${parameterName(name)} is not supported`, fix ?? 'Leave it out; db and family are supported.');
  }
  const database = databaseNumber(path, params.get('db'));
  const family = params.get('family') ?? '0';
  if (family !== '0' && family !== '4' && family !== '6') throw refuse('the parameter family is not 0, 4 or 6');
  return {
    host,
    port: port ?? 6379,
    user: user || null,
    // A user without a password logs in all the same: as one with `nopass`.
    password: password || (user ? '' : null),
    database: database ?? 0,
    tls: scheme === 'rediss',
    family: Number(family) as 0 | 4 | 6,
    shown:
      `${scheme}://${user || password ? `${encodeURIComponent(user ?? '')}:***@` : ''}${host.includes(':') ? `[${host}]` : host}` +
      `:${port ?? 6379}${database === null ? '' : `/${database}`}${params.has('family') ? `?family=${family}` : ''}`,
  };
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

/** `host:port`, for messages. */
export function addressOf({ host, port }: Pick<RedisTarget, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
