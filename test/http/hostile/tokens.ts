import { SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose';
import { COUPON, post, type Shape } from './shapes.ts';

/** What the server is told to want of a token. */
export const ISSUER = 'login';
export const AUDIENCE = 'shop';

const GOOD = { sub: 'kim', iss: ISSUER, aud: AUDIENCE };
/** Longer than any of the runs. */
const LATER = '1h';

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

interface Signing {
  expires?: string;
  key?: Uint8Array;
  header?: Partial<JWTHeaderParameters>;
}

/** Shapes for a server that wants tokens signed with `secret`. */
export async function tokenShapes(secret: Uint8Array): Promise<Shape[]> {
  const signed = (claims: Record<string, unknown>, { expires = LATER, key = secret, header = {} }: Signing = {}): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', ...header })
      .setExpirationTime(expires)
      .sign(key, { crit: { x: true } });
  const good = await signed(GOOD);
  const [head, , signature] = good.split('.') as [string, string, string];
  const far = Math.floor(Date.now() / 1_000) + 3_600;

  const ask = (authorization: string | null, body: string): string =>
    post(body, { extra: authorization === null ? '' : `Authorization: ${authorization}\r\n` });
  const unauthorized = (name: string, token: string | null, scheme = 'Bearer '): Shape => ({
    name,
    text: () => ask(token === null ? null : `${scheme}${token}`, '{"userId":"kim"}'),
    status: 401,
    code: 'unauthorized',
  });
  const get = (path: string, token: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;

  return [
    unauthorized('no token', null),
    unauthorized('an empty one', ''),
    unauthorized('one that is none', 'x'),
    unauthorized('three dots', '...'),
    unauthorized('a password', Buffer.from('kim:kim').toString('base64'), 'Basic '),
    unauthorized('alg none', new UnsecuredJWT(GOOD).setExpirationTime(LATER).encode()),
    unauthorized('alg none with a signature', `${encoded({ alg: 'none' })}.${encoded({ ...GOOD, exp: far })}.${signature}`),
    unauthorized('alg nOnE', `${encoded({ alg: 'nOnE' })}.${encoded({ ...GOOD, exp: far })}.x`),
    unauthorized('no alg', `${encoded({ typ: 'JWT' })}.${encoded({ ...GOOD, exp: far })}.${signature}`),
    unauthorized('an alg of other keys', `${encoded({ alg: 'RS256' })}.${encoded({ ...GOOD, exp: far })}.${signature}`),
    unauthorized('another secret', await signed(GOOD, { key: Buffer.alloc(48, 1) })),
    unauthorized('an empty secret', await signed(GOOD, { key: Buffer.alloc(32) })),
    unauthorized(
      'a key that it brings along',
      await signed(GOOD, { key: Buffer.alloc(48, 1), header: { jwk: { kty: 'oct', k: 'AQEB' } as object } }),
    ),
    unauthorized('a key in a file', await signed(GOOD, { key: Buffer.alloc(32), header: { kid: '../../dev/null' } })),
    unauthorized('a claim that must be understood', await signed(GOOD, { header: { crit: ['x'], x: 1 } })),
    unauthorized('an expired one', await signed(GOOD, { expires: '-1m' })),
    unauthorized(
      'one of tomorrow',
      await new SignJWT({ ...GOOD, nbf: far }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('2h').sign(secret),
    ),
    unauthorized('one without end', await new SignJWT(GOOD).setProtectedHeader({ alg: 'HS256' }).sign(secret)),
    unauthorized('another issuer', await signed({ ...GOOD, iss: 'other' })),
    unauthorized('another audience', await signed({ ...GOOD, aud: 'other' })),
    unauthorized('no user', await signed({ iss: ISSUER, aud: AUDIENCE })),
    unauthorized('a list of users', await signed({ ...GOOD, sub: ['kim'] })),
    unauthorized('a user with a newline', await signed({ ...GOOD, sub: 'kim\nlee' })),
    unauthorized('a user with a hash tag', await signed({ ...GOOD, sub: 'kim{c}' })),
    unauthorized('a user with an escape sequence', await signed({ ...GOOD, sub: '\u001b[2J' })),
    unauthorized('another payload', `${head}.${encoded({ ...GOOD, sub: 'lee', exp: far })}.${signature}`),
    unauthorized('a signature that is cut', good.slice(0, -4)),
    unauthorized('a signature that goes on', `${good}AAAA`),
    unauthorized('no signature', `${head}.${good.split('.')[1]}.`),
    unauthorized('two tokens', `${good}, Bearer ${good}`),
    unauthorized('a long one', `${'a'.repeat(8_000)}.b.c`),
    {
      name: 'a token in the path',
      text: () => post('{"userId":"kim"}', { path: `/coupons/${COUPON}/requests?access_token=${good}` }),
      status: 401,
      code: 'unauthorized',
    },
    { name: 'another user in the body', text: () => ask(`Bearer ${good}`, '{"userId":"lee"}'), status: 403, code: 'forbidden' },
    { name: 'another user by case', text: () => ask(`Bearer ${good}`, '{"userId":"Kim"}'), status: 403, code: 'forbidden' },
    { name: 'two users', text: () => ask(`Bearer ${good}`, '{"userId":"kim","userId":"lee"}'), status: 403, code: 'forbidden' },
    { name: 'another user in the path', text: () => get(`/coupons/${COUPON}/requests/lee`, good), status: 403, code: 'forbidden' },
    { name: 'all users in the path', text: () => get(`/coupons/${COUPON}/requests/*`, good), status: 403, code: 'forbidden' },
    { name: 'no user in the body', text: () => ask(`Bearer ${good}`, '{"userId":["kim"]}'), status: 400, code: 'invalid_request' },
    { name: 'the metrics', text: () => get('/metrics', good), status: 401, code: 'unauthorized' },
    {
      name: 'a use by the user',
      text: () =>
        `POST /coupons/${COUPON}/issued/kim/use HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${good}\r\nContent-Length: 0\r\n\r\n`,
      status: 401,
      code: 'unauthorized',
    },
  ];
}
