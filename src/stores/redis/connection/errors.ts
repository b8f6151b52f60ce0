import { tlsFault } from '../../../lib/net/certificate.ts';
import { CouponError } from '../../../lib/errors.ts';
import type { PartialOutage } from '../../../campaign/readiness/partial-outage.ts';
import { visible } from '../../../lib/text/visible.ts';
import { addressOf, parseRedisUrl } from './url.ts';

/** How a script begins its refusal when its user may not run the commands that follow, apart by spaces. */
export const DENIED = 'NOPERM the user may not run';

/** `host:port` of a URL, without what may be secret in it. */
function redisAddress(url: string): string {
  return addressOf(parseRedisUrl(url));
}

/** Replies with which Redis refuses a command as a whole because of the state that it is in; nothing was done. */
const REFUSES_NOW = /^(OOM|READONLY|LOADING|BUSY|UNKILLABLE|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|EXECABORT) /;

/** What ioredis says of a command that no server of a cluster ran, in the end or at all. */
const NOT_RUN = /^(Too many Cluster redirections|Cluster isn't ready|Failed to refresh slots cache)/;
const SLOT_MOVING = /^(Too many Cluster redirections|TRYAGAIN|MOVED|ASK) ?/;

/** What Redis says before it hangs up on a connection that is one too many. */
const FULL = /^ERR max number of clients/;

const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'Raise maxmemory (and keep maxmemory-policy noeviction); what was accepted goes on being issued meanwhile.',
  READONLY: 'This is a replica: point REDIS_URL at the primary, or promote it.',
  MISCONF: 'It cannot write its files: look at the disk, and at the log of Redis.',
  FULL: 'Raise maxclients, or close connections that nobody needs (CLIENT LIST shows them).',
  NOREPLICAS: 'Too few replicas keep up (min-replicas-to-write): bring one back.',
};

const LOGIN_REFUSED = /^(WRONGPASS|NOAUTH)|invalid username-password|without any password configured/i;

/**
 * What a failed connection or command means. The original error is dropped on purpose: ioredis keeps the arguments of the
 * failed command in it, and those of AUTH are the password.
 */
export function redisError(error: unknown, url: string): CouponError {
  if (error instanceof CouponError) return error;
  const { code: errno, message } = reasonOf(error);
  const text = visible(withoutArguments(message));
  const address = redisAddress(url);
  if (LOGIN_REFUSED.test(text)) return loginRefused(text, address);
  if (isNotPermitted(text)) return notPermitted(text, address);
  const fault = tlsFault({ code: errno, message });
  if (fault) return tlsRefused(fault, errno ?? '', text, address);
  if (SLOT_MOVING.test(text)) {
    const code: PartialOutage = 'REDIS_SLOT_MOVING';
    return new CouponError({
      code,
      kind: 'unreachable',
      message: `the Redis Cluster at ${address} is moving these keys to another server`,
      why: withoutScript(text),
      fix: 'It passes when the slot has arrived (CLUSTER NODES shows slots that move); ask again then.',
    });
  }
  if (REFUSES_NOW.test(text) || FULL.test(text)) {
    return new CouponError({
      code: 'REDIS_NOT_NOW',
      kind: 'unreachable',
      message: `Redis at ${address} cannot serve this now`,
      why: withoutScript(text),
      fix: REMEDIES[FULL.test(text) ? 'FULL' : text.split(' ', 1)[0]!] ?? 'It may pass by itself; the log of Redis says more.',
    });
  }
  const missing =
    /unknown (?:redis )?command(?: called from script)?(?:[:,]? ['"`]?([a-z|]+))?|Invalid command passed to redis\.acl_check_cmd/i.exec(
      text,
    );
  if (missing) return commandMissing(missing[1], text, address);
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
    why: errno && !text.includes(errno) ? `${text} (${errno})`.trim() : text,
    fix: 'Start it, or point --redis-url or REDIS_URL at one that runs. `coupon-cli dev up` starts one for trying out; `eval "$(coupon-cli dev env)"` points this shell at it.',
  });
}

/** A transaction is discarded because of one of its commands, and says no more than that. */
function reasonOf(error: unknown): NodeJS.ErrnoException {
  if (!(error instanceof Error)) return new Error(String(error));
  const { previousErrors } = error as { previousErrors?: readonly Error[] };
  return previousErrors?.[0] ?? error;
}

function loginRefused(text: string, address: string): CouponError {
  const missing = text.startsWith('NOAUTH');
  return new CouponError({
    code: 'REDIS_AUTH',
    kind: 'usage',
    message: missing ? `Redis at ${address} needs a password` : `Redis at ${address} refused the user name or password`,
    fix: missing ? 'Put it into the URL: redis://user:password@host:6379.' : 'Check user and password in --redis-url or REDIS_URL.',
  });
}

/** The user is known, and may not do this. Within a script Redis 7.0 says so in words of its own, and names no command. */
function isNotPermitted(text: string): boolean {
  return /^NOPERM|no permissions to run the |ACL failure in script|^ERR The user executing the script can't /.test(text);
}

function notPermitted(text: string, address: string): CouponError {
  // Our own scripts name all at once, see `script.ts`.
  const ours = text.startsWith(`${DENIED} `) ? text.slice(DENIED.length + 1).split(' ') : [];
  const theirs = /the '([^']+)' command/.exec(text)?.[1]?.toUpperCase();
  const commands = [...new Set(theirs === undefined ? ours : [theirs])];
  return new CouponError({
    code: 'REDIS_AUTH',
    kind: 'usage',
    message: `Redis at ${address} does not let this user ${commands.length === 0 ? 'do what this command needs' : `run ${commands.join(', ')}`}`,
    why: ours.length > 0 ? 'nothing was written' : withoutScript(text),
    fix: '`coupon-cli grants --for redis` prints what each command needs; or name another user in --redis-url or REDIS_URL.',
  });
}

/** `rename-command`, or a service that offers only a part of Redis. Waiting does not help. */
function commandMissing(command: string | undefined, text: string, address: string): CouponError {
  return new CouponError({
    code: 'REDIS_COMMAND_MISSING',
    kind: 'usage',
    message: `Redis at ${address} has no command ${command?.toUpperCase() ?? 'of those that are needed'}`,
    why: withoutScript(text),
    fix: 'End its `rename-command` in redis.conf, or use another Redis; `coupon-cli grants --for redis` prints every command that is needed.',
  });
}

function tlsRefused(fault: 'certificate' | 'handshake', code: string, text: string, address: string): CouponError {
  return new CouponError({
    code: 'REDIS_TLS',
    kind: 'usage',
    message:
      fault === 'certificate'
        ? `the certificate of Redis at ${address} is not trusted (${code})`
        : `no TLS connection to Redis at ${address} could be made (${code})`,
    why: text,
    fix:
      fault === 'certificate'
        ? 'Set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed it.'
        : 'Use redis:// if this port does not speak TLS.',
  });
}

/** Cluster mode is on, and nobody has joined the servers. */
export function clusterWithoutSlots(url: string): CouponError {
  return new CouponError({
    code: 'REDIS_CLUSTER_WITHOUT_SLOTS',
    kind: 'unreachable',
    message: `Redis at ${redisAddress(url)} runs in cluster mode, and no server holds any slot`,
    fix: 'Form the cluster first: `redis-cli --cluster create` gives each server its slots.',
  });
}

/** The server speaks TLS, and was spoken to without. */
export function tlsSpoken(url: string): CouponError {
  return new CouponError({
    code: 'REDIS_TLS',
    kind: 'usage',
    message: `the port of Redis at ${redisAddress(url)} speaks TLS alone`,
    fix: 'Write rediss:// instead of redis://.',
  });
}

/** TLS was asked for, and the server speaks without it. */
export function tlsNotSpoken(url: string): CouponError {
  const address = redisAddress(url);
  return tlsRefused('handshake', 'no TLS', 'the port answers Redis commands without TLS', address);
}

/** Redis repeats the arguments of a command that it does not know; those of AUTH are the password. */
function withoutArguments(text: string): string {
  return text.replace(/,?\s*with args beginning with:.*$/is, '');
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
    !NOT_RUN.test(error.message) &&
    !error.message.startsWith("Stream isn't writeable");
  if (!sent) return redisError(error, url);
  return new CouponError({
    code: 'REDIS_REPLY_LOST',
    kind: 'unreachable',
    message: `the answer of Redis at ${redisAddress(url)} was lost`,
    why: visible(withoutArguments(error.message)),
    fix: 'Whether the request took effect is unknown; ask again under the same request id.',
  });
}
