import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { CouponError, usageError } from '../../lib/errors.ts';

export interface PgTarget {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database: string;
  ssl: false | ConnectionOptions;
}

/**
 * What a `postgres://` URL asks for. `sslmode` is read here with libpq's meanings ("SSL Support", table 34.1), because the
 * driver reads `require` as `verify-full` and prints a warning about it.
 *
 * @throws CouponError `BAD_DATABASE_URL`
 */
export function parseDatabaseUrl(text: string): PgTarget {
  let url: URL;
  try {
    url = new URL(text);
    if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw new Error('not a PostgreSQL URL');
  } catch {
    throw badUrl('it is not a postgres:// URL');
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  const port = url.port === '' ? 5432 : Number(url.port);
  return {
    host: decodeURIComponent(url.hostname.replace(/^\[|\]$/g, '')) || '127.0.0.1',
    port,
    ...(url.username ? { user: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    database: database || 'postgres',
    ssl: tls(url.searchParams),
  };
}

function tls(params: URLSearchParams): PgTarget['ssl'] {
  const mode = params.get('sslmode') ?? 'disable';
  const ca = certificate(params.get('sslrootcert'));
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      // libpq: encrypt without checking who answers, unless a root certificate is named.
      return ca ? { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case 'verify-full':
      return { ...ca, rejectUnauthorized: true };
    default:
      throw badUrl(`sslmode=${mode} is not supported`);
  }
}

function certificate(path: string | null): { ca: string } | null {
  if (path === null || path === '') return null;
  try {
    return { ca: readFileSync(path, 'utf8') };
  } catch (error) {
    throw new CouponError({
      code: 'BAD_DATABASE_URL',
      kind: 'usage',
      message: `the certificate ${path} named by sslrootcert cannot be read`,
      why: (error as Error).message,
      fix: 'Name a readable PEM file.',
    });
  }
}

function badUrl(why: string): CouponError {
  // The URL itself is not repeated: it may hold a password.
  const fix = 'Write postgres://user:password@host:5432/database?sslmode=verify-full (or disable, require, verify-ca).';
  return usageError('BAD_DATABASE_URL', `the database URL cannot be used: ${why}`, fix);
}
