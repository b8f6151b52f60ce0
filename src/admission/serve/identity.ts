import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { userIdProblem } from '../../campaign/ids.ts';

/** Where the keys are that users' tokens are signed with, and what else a token must say. */
export interface IdentityOptions {
  /** One of the two: keys that are fetched, or one that both sides know. */
  keys: { jwksUrl: URL } | { secret: Uint8Array };
  issuer?: string | undefined;
  audience?: string | undefined;
  /** Claim that names the user. */
  userClaim: string;
}

/** Who asks, or why that is not known. `unavailable`: the keys cannot be had at the moment. */
export type Identity = { userId: string } | { refused: 'unauthorized' | 'unavailable'; why: string };

/** A key of the other kind must not be taken for this one: a public key is no secret (RFC 8725 §3.1). */
const SHARED = ['HS256', 'HS384', 'HS512'];
const SIGNED = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const CLOCK_TOLERANCE_S = 5;

/** Reads users from `Authorization: Bearer`, as JSON Web Tokens that have not expired. */
export function jwtIdentity({
  keys,
  issuer,
  audience,
  userClaim,
}: IdentityOptions): (authorization: string | undefined) => Promise<Identity> {
  const key: Uint8Array | JWTVerifyGetKey = 'secret' in keys ? keys.secret : createRemoteJWKSet(keys.jwksUrl);
  const options = {
    algorithms: 'secret' in keys ? SHARED : SIGNED,
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp', userClaim],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  const unauthorized = (why: string): Identity => ({ refused: 'unauthorized', why });
  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return unauthorized('A bearer token is needed.');
    try {
      const { payload } = typeof key === 'function' ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options);
      const claim = payload[userClaim];
      const userId = typeof claim === 'number' && Number.isSafeInteger(claim) ? String(claim) : claim;
      if (typeof userId !== 'string' || userIdProblem(userId) !== null) return unauthorized('The token names no user.');
      return { userId };
    } catch (error) {
      if (isAboutToken(error))
        return unauthorized(error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.');
      return { refused: 'unavailable', why: 'Tokens cannot be checked at this moment.' };
    }
  };
}

/** Anything else is about fetching the keys. */
function isAboutToken(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  return /^ERR_(JWT|JWS|JOSE_(ALG|NOT)|JWKS_(NO_MATCHING|MULTIPLE))/.test(code) || error instanceof errors.JWSSignatureVerificationFailed;
}
