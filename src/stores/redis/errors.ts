import { CouponError } from '../../lib/errors.ts';
import { visible } from '../../lib/visible.ts';

/** `host:port` of a URL, without what may be secret in it. */
export function redisAddress(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || '6379'}`;
}

/** Replies with which Redis refuses a command as a whole because of the state that it is in; nothing was done. */
const REFUSES_NOW = /^(OOM|READONLY|LOADING|BUSY|UNKILLABLE|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN) /;

const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'Raise maxmemory (and keep maxmemory-policy noeviction); what was accepted goes on being issued meanwhile.',
  READONLY: 'This is a replica: point REDIS_URL at the primary, or promote it.',
  MISCONF: 'It cannot write its files: look at the disk, and at the log of Redis.',
  NOREPLICAS: 'Too few replicas keep up (min-replicas-to-write): bring one back.',
};

/**
 * What a failed connection or command means. The original error is dropped on purpose: ioredis keeps the arguments of the
 * failed command in it, and those of AUTH are the password.
 */
export function redisError(error: unknown, url: string): CouponError {
  if (error instanceof CouponError) return error;
  const text = visible(error instanceof Error ? error.message : String(error));
  const errno = (error as NodeJS.ErrnoException).code;
  const address = redisAddress(url);
  if (/^(WRONGPASS|NOAUTH|NOPERM)|invalid username-password|without any password configured/i.test(text)) {
    return new CouponError({
      code: 'REDIS_AUTH',
      kind: 'usage',
      message: `Redis at ${address} refused the user name or password`,
      why: text.startsWith('NOPERM') ? 'the user lacks a permission that this command needs' : undefined,
      fix: 'Check user and password in --redis-url or REDIS_URL.',
    });
  }
  if (REFUSES_NOW.test(text)) {
    return new CouponError({
      code: 'REDIS_NOT_NOW',
      kind: 'unreachable',
      message: `Redis at ${address} cannot serve this now`,
      why: withoutScript(text),
      fix: REMEDIES[text.split(' ', 1)[0]!] ?? 'It may pass by itself; the log of Redis says more.',
    });
  }
  if (/^(WRONGTYPE|ERR|NOSCRIPT)/.test(text)) {
    return new CouponError({
      code: 'REDIS_REFUSED',
      kind: 'failure',
      message: `Redis at ${address} refused a command`,
      why: withoutScript(text),
      fix: 'If another program writes these keys, check that it keeps their types and formats.',
    });
  }
  return new CouponError({
    code: 'REDIS_DOWN',
    kind: 'unreachable',
    message: `Redis at ${address} cannot be reached`,
    why: errno && !text.includes(errno) ? `${text} (${errno})` : text,
    fix: 'Start it, or point --redis-url or REDIS_URL at one that runs. `coupon-cli dev up` starts one for trying out.',
  });
}

/** The user of this connection may not run these commands. */
export function redisDenied(commands: readonly string[], url: string): CouponError {
  return new CouponError({
    code: 'REDIS_AUTH',
    kind: 'usage',
    message: `Redis at ${redisAddress(url)} does not let this user do what this command needs`,
    why: `the user may not run ${commands.join(', ')} on these keys`,
    fix: 'Grant it to the user with ACL SETUSER, or name another user in --redis-url or REDIS_URL.',
  });
}

/** What it means that SELECT failed. Null: the question was lost, the login is wrong, or Redis cannot answer it now. */
export function databaseRefused(error: unknown, url: string, db: number): CouponError | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  if (REFUSES_NOW.test(error.message) || /^(NOAUTH|WRONGPASS)/.test(error.message)) return null;
  const forbidden = error.message.startsWith('NOPERM');
  return new CouponError({
    code: 'REDIS_DATABASE_REFUSED',
    kind: 'usage',
    message: `Redis at ${redisAddress(url)} refused database ${db}`,
    why: forbidden ? 'the user may not run SELECT' : visible(error.message),
    fix: forbidden
      ? 'Give the user +select, or name database 0 in --redis-url or REDIS_URL if that is the one you mean.'
      : 'Name a database that this server has (`CONFIG GET databases`) in --redis-url or REDIS_URL.',
  });
}

/** Which script it was is a hash, and of no use to anybody. */
function withoutScript(text: string): string {
  return text.replace(/,? script: [0-9a-f]{40}.*$/, '');
}

/**
 * What a failed write means: the same, except that a command whose reply was lost on the way may have run. Nothing ran when
 * Redis itself refused it (ReplyError), or when ioredis had no connection to write it to.
 */
export function redisWriteError(error: unknown, url: string): CouponError {
  const sent =
    error instanceof Error &&
    !(error instanceof CouponError) &&
    error.name !== 'ReplyError' &&
    !error.message.startsWith("Stream isn't writeable");
  if (!sent) return redisError(error, url);
  return new CouponError({
    code: 'REDIS_REPLY_LOST',
    kind: 'unreachable',
    message: `the answer of Redis at ${redisAddress(url)} was lost`,
    why: visible(error.message),
    fix: 'Whether the request took effect is unknown; ask again under the same request id.',
  });
}
