import { Redis, type RedisOptions } from 'ioredis';
import { backoff } from './server.ts';
import type { RedisTarget } from './url.ts';

/** What a sentinel publishes as `<name> <old host> <old port> <new host> <new port>`. */
const REPLACED = '+switch-master';
/** One that says nothing is passed over, and the next one asked. */
const SENTINEL_TIMEOUT_MS = 2_000;

/** A target behind sentinels. */
export type Sentineled = Pick<RedisTarget, 'family' | 'tls'> & { sentinel: NonNullable<RedisTarget['sentinel']> };

/**
 * How the primary is found: each new link asks for it again.
 *
 * @param lasts whether sentinels that are all away are asked once more, or the link is given up
 */
export function sentinelOptions({ sentinel, family, tls }: Sentineled, lasts: () => boolean): RedisOptions {
  const checked = { rejectUnauthorized: true };
  return {
    sentinels: [...sentinel.hosts],
    name: sentinel.master,
    role: 'master',
    family,
    ...(sentinel.user === null ? {} : { sentinelUsername: sentinel.user }),
    ...(sentinel.password === null ? {} : { sentinelPassword: sentinel.password }),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelRetryStrategy: (attempt) => (lasts() ? backoff(attempt) : null),
    ...(tls ? { tls: checked, sentinelTLS: checked, enableTLSForSentinelMode: true } : {}),
  };
}

/**
 * Gives up the link as soon as a sentinel says that another primary was chosen: a primary that is frozen or cut off does not end it.
 * Each sentinel says so, some of them seconds after the link that followed has reached the new primary; that one stays. Returns the way
 * to stop.
 *
 * Not the `failoverDetector` of ioredis: it ends the client for good when the word comes while the sentinels are being asked, minds
 * the other primaries of the same sentinels too, and writes to stderr of a sentinel that is away.
 */
export function watchPrimary(redis: Redis, target: Sentineled): () => void {
  const watching = target.sentinel.hosts.map((host) => {
    const client = sentinelClient(host, target, { maxRetriesPerRequest: null, retryStrategy: backoff });
    client.on('error', () => undefined);
    client.on('message', (_channel, told: string) => {
      const [name, , , newHost, newPort] = told.split(' ');
      if (name === target.sentinel.master && !leadsTo(redis.stream, newHost!, Number(newPort))) redis.disconnect(true);
    });
    // Where a sentinel may not be listened to, a refused write or silence shows the same, later.
    client.subscribe(REPLACED).catch(() => undefined);
    return client;
  });
  return () => {
    for (const client of watching) client.disconnect();
  };
}

/** False also for a primary that is announced by name: it is asked for once more, which finds the right one. */
function leadsTo(link: Redis['stream'] | undefined, host: string, port: number): boolean {
  return link?.remoteAddress === host && link.remotePort === port;
}

/** A link to a sentinel itself. Who opens it listens to its errors. */
export function sentinelClient(
  { host, port }: Sentineled['sentinel']['hosts'][number],
  { sentinel, family, tls }: Sentineled,
  options: Omit<RedisOptions, 'replyMapping'>,
): Redis {
  return new Redis({
    host,
    port,
    family,
    ...(sentinel.user === null ? {} : { username: sentinel.user }),
    ...(sentinel.password === null ? {} : { password: sentinel.password }),
    ...(tls ? { tls: { rejectUnauthorized: true } } : {}),
    enableReadyCheck: false,
    ...options,
  });
}
