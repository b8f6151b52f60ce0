import { tlsFault } from '../../../lib/net/certificate.ts';
import { CouponError } from '../../../lib/errors.ts';
import { visible } from '../../../lib/text/visible.ts';
import type { PgTarget } from './url.ts';

/** Where a database is, for messages. */
export function pgAddress({ host, port, database }: Pick<PgTarget, 'host' | 'port' | 'database'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** What a failed connection or statement means. SQLSTATE classes: PostgreSQL manual, appendix A. */
export function pgError(error: unknown, target: PgTarget): CouponError {
  if (error instanceof CouponError) return error;
  const { code, message } = normalize(error);
  const address = pgAddress(target);
  if (code.startsWith('28')) {
    return new CouponError({
      code: 'DATABASE_AUTH',
      kind: 'usage',
      message: `PostgreSQL at ${address} refused the user name or password`,
      why: message,
      fix: /no encryption|SSL off/.test(message)
        ? 'The server takes this login over TLS alone: write sslmode=verify-full, or sslmode=require.'
        : 'Check user and password in --database-url, DATABASE_URL or PGPASSWORD.',
    });
  }
  if (code === 'PG_CHANNEL_BINDING') {
    return new CouponError({
      code: 'DATABASE_AUTH',
      kind: 'usage',
      message: `PostgreSQL at ${address} does not bind the channel, which channel_binding=require asks for`,
      why: message,
      fix: 'Let the login be by scram-sha-256 over TLS (password_encryption, pg_hba.conf), or write channel_binding=prefer.',
    });
  }
  if (code === 'PG_ROLE') {
    return new CouponError({
      code: 'DATABASE_ROLE',
      kind: 'unreachable',
      message: `none of the hosts of the database URL is "${target.role}" (target_session_attrs)`,
      why: message,
      fix: 'Name all hosts of the cluster; after a failover one of them becomes the primary.',
    });
  }
  const tls = tlsFault({ code, message }) ?? (message === 'The server does not support SSL connections' ? 'handshake' : null);
  if (tls) return tlsRefused(tls, message, address);
  if (code === '3D000') {
    return new CouponError({
      code: 'DATABASE_MISSING',
      kind: 'usage',
      message: `PostgreSQL at ${address} has no such database`,
      why: message,
      fix: `Create it (createdb ${target.database}) or name another one in --database-url or DATABASE_URL.`,
    });
  }
  if (/^(42704|22023|55P02)$/.test(code) && message.includes('parameter')) {
    return new CouponError({
      code: 'BAD_DATABASE_URL',
      kind: 'usage',
      message: `PostgreSQL at ${address} refused a setting of the session`,
      why: message,
      fix: 'Correct it in PGOPTIONS, PGTZ or PGDATESTYLE, or in the options of the database URL.',
    });
  }
  if (code === '42P01' || code === '42703') return schemaMissing(address, message);
  if (code === '42501') {
    return new CouponError({
      code: 'DATABASE_PERMISSION',
      kind: 'usage',
      message: `PostgreSQL at ${address} refused: ${message}`,
      fix: 'Grant the role what this command needs, or use another role.',
    });
  }
  if (code.startsWith('40')) {
    return new CouponError({
      code: 'DATABASE_CONFLICT',
      kind: 'unreachable',
      message: `PostgreSQL at ${address} rolled back a transaction that others were in the way of`,
      why: `${message} (${code})`,
      fix: 'It may be tried again as it is. If it goes on, look for long transactions on the coupon tables in pg_stat_activity.',
    });
  }
  if (code === '55P03') {
    return new CouponError({
      code: 'DATABASE_LOCKED',
      kind: 'unreachable',
      message: `PostgreSQL at ${address} could not get a lock that another session holds`,
      why: `${message} (${code})`,
      fix: 'Let the other session finish, or look for it in pg_stat_activity and pg_locks; then run the command again.',
    });
  }
  if (!isSqlState(code) || /^(08|53|57)/.test(code) || code === '25006' || code === '25P03') {
    return new CouponError({
      code: 'DATABASE_DOWN',
      kind: 'unreachable',
      message: `PostgreSQL at ${address} cannot be reached`,
      why: message,
      fix: 'Start it, or point --database-url or DATABASE_URL at one that runs. `coupon-cli dev up` starts one for trying out; `eval "$(coupon-cli dev env)"` points this shell at it.',
    });
  }
  return new CouponError({
    code: 'DATABASE_REFUSED',
    kind: 'failure',
    message: `PostgreSQL at ${address} refused a statement`,
    why: `${message} (${code})`,
    fix: 'Look for it in the log of PostgreSQL. A trigger or constraint of your own on the coupon tables must let our statements pass.',
  });
}

/** The server asked for a password, and nothing that we were given holds one. */
export function passwordMissing(target: PgTarget): CouponError {
  return new CouponError({
    code: 'DATABASE_AUTH',
    kind: 'usage',
    message: `PostgreSQL at ${pgAddress(target)} needs a password`,
    why: target.passwordNote ?? undefined,
    fix: 'Put it in DATABASE_URL, PGPASSWORD or ~/.pgpass.',
  });
}

function tlsRefused(fault: 'certificate' | 'handshake', message: string, address: string): CouponError {
  return new CouponError({
    code: 'DATABASE_TLS',
    kind: 'usage',
    message:
      fault === 'certificate'
        ? `the certificate of PostgreSQL at ${address} is not trusted`
        : `no TLS connection to PostgreSQL at ${address} could be made`,
    why: message,
    fix:
      fault === 'certificate'
        ? 'Name the authority that signed it with sslrootcert=FILE; sslmode=require encrypts without looking at the certificate.'
        : 'Switch TLS on in the server, or write sslmode=disable if nobody can listen on the way.',
  });
}

/** What a failed COMMIT means: PostgreSQL said no; or it said nothing, and may have committed. */
export function commitError(error: unknown, target: PgTarget): CouponError {
  const { code, message } = normalize(error);
  if (isSqlState(code) && !/^(08|57P)/.test(code)) return pgError(error, target);
  return new CouponError({
    code: 'LEDGER_REPLY_LOST',
    kind: 'unreachable',
    message: 'the answer of PostgreSQL to a commit was lost',
    why: message,
    fix: 'Whether it took effect is unknown; asking again does no harm, and finds out.',
  });
}

export function schemaMissing(address: string, why: string): CouponError {
  return new CouponError({
    code: 'SCHEMA_MISSING',
    kind: 'usage',
    message: `the database ${address} has no coupon tables yet, or older ones`,
    why,
    fix: 'Run `coupon-cli migrate`.',
  });
}

/** SQLSTATEs are five characters with a digit; errno names such as ECONNREFUSED are not, though EPIPE comes close. */
function isSqlState(code: string): boolean {
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
}

function normalize(error: unknown): { code: string; message: string } {
  // Node reports a host with several addresses as an AggregateError with an empty message.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code = '', message = String(first) } = (first ?? {}) as { code?: string; message?: string };
  return { code, message: visible(message || code) };
}
