import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { RefuseUrl } from '../../../lib/store-url.ts';

/** What the words of a connection say about encryption; an absent word is undefined. */
export interface TlsWords {
  sslmode?: string | undefined;
  /** As node-postgres and JDBC write it. */
  ssl?: string | undefined;
  sslrootcert?: string | undefined;
  sslcert?: string | undefined;
  sslkey?: string | undefined;
  sslpassword?: string | undefined;
  ssl_min_protocol_version?: string | undefined;
  ssl_max_protocol_version?: string | undefined;
}

/**
 * `sslmode` has the meanings of libpq ("SSL Support", table 34.1); the driver reads `require` as `verify-full`. `ssl=true`, and a
 * certificate without a mode, ask for TLS and so for all of it: `verify-full`.
 */
export function tlsOptions(words: TlsWords, refuse: RefuseUrl): (false | ConnectionOptions)[] {
  const mode = modeOf(words, refuse);
  if (mode === 'disable') return [false];
  const { sslrootcert, sslpassword, ssl_min_protocol_version: min, ssl_max_protocol_version: max } = words;
  const authority = sslrootcert === undefined || sslrootcert === 'system' ? {} : { ca: pem('sslrootcert', sslrootcert, refuse) };
  const options = {
    ...authority,
    ...clientCertificate(words, refuse),
    ...(sslpassword === undefined ? {} : { passphrase: sslpassword }),
    ...(min === undefined ? {} : { minVersion: min as 'TLSv1.2' | 'TLSv1.3' }),
    ...(max === undefined ? {} : { maxVersion: max as 'TLSv1.2' | 'TLSv1.3' }),
  };
  switch (mode) {
    case 'require':
      // libpq: encrypt without checking who answers, unless a root certificate is named.
      if (sslrootcert === undefined) return [{ ...options, rejectUnauthorized: false }];
      return [{ ...options, rejectUnauthorized: true, checkServerIdentity: () => undefined }];
    // Encrypted if the server can, and unencrypted otherwise; or the other way round.
    case 'prefer':
      return [{ ...options, rejectUnauthorized: false }, false];
    case 'allow':
      return [false, { ...options, rejectUnauthorized: false }];
    case 'verify-ca':
      return [{ ...options, rejectUnauthorized: true, checkServerIdentity: () => undefined }];
    default:
      return [{ ...options, rejectUnauthorized: true }];
  }
}

function modeOf({ sslmode, ssl, sslrootcert, sslcert, sslkey }: TlsWords, refuse: RefuseUrl): string {
  if (sslmode !== undefined && ssl !== undefined) throw refuse('it has both sslmode and ssl', 'Write sslmode alone.');
  const plain = ssl === 'false' || ssl === '0';
  if (sslrootcert === 'system' && (plain || (sslmode !== undefined && sslmode !== 'verify-full'))) {
    throw refuse('sslrootcert=system goes with sslmode=verify-full alone', 'Write sslmode=verify-full, or name the file of an authority.');
  }
  if (sslmode !== undefined) return sslmode;
  if (plain) return 'disable';
  return ssl !== undefined || sslrootcert !== undefined || sslcert !== undefined || sslkey !== undefined ? 'verify-full' : 'disable';
}

function clientCertificate({ sslcert, sslkey }: TlsWords, refuse: RefuseUrl): { cert?: string; key?: string } {
  if (sslcert === undefined && sslkey === undefined) return {};
  if (sslcert === undefined || sslkey === undefined) throw refuse('sslcert and sslkey go together', 'Name both files.');
  return { cert: pem('sslcert', sslcert, refuse), key: pem('sslkey', sslkey, refuse) };
}

function pem(name: string, path: string, refuse: RefuseUrl): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw refuse(`the file that ${name} names cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Name a readable PEM file.');
  }
}
