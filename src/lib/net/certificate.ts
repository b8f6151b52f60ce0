import { CouponError } from '../errors.ts';

/** What Node and OpenSSL call a certificate that cannot be trusted (X509_V_ERR_…, and Node's own check of the name). */
const UNTRUSTED =
  /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|CRL_|ERROR_IN_C|INVALID_(CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|ERR_TLS_CERT_)/;

export function isCertificateFault(code: string | undefined): boolean {
  return code !== undefined && UNTRUSTED.test(code);
}

/** The endpoint is there, and nothing but its certificate keeps us from it: a matter of configuration, so exit code 2. */
export function certificateNotTrusted(target: string, error: { code?: string | undefined; message: string }): CouponError {
  const { code = '', message } = error;
  return new CouponError({
    code: 'CERTIFICATE_NOT_TRUSTED',
    kind: 'usage',
    message: `the certificate of ${target} is not trusted (${code}); nothing was sent`,
    why: message,
    fix: 'Name the authority that signed it (`tls: {ca: FILE}` in a scenario, or NODE_EXTRA_CA_CERTS), or add --insecure to take any certificate.',
    cause: error,
  });
}

/** What keeps a TLS connection to a store from standing: configuration, on this side or on the other. Null: something else. */
export function tlsFault(error: { code?: string | undefined; message: string }): 'certificate' | 'handshake' | null {
  if (isCertificateFault(error.code)) return 'certificate';
  return /^(EPROTO$|ERR_SSL_)/.test(error.code ?? '') ? 'handshake' : null;
}
