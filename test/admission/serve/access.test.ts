import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jwtIdentity } from '../../../src/admission/serve/identity.ts';
import type { AccessOptions } from '../../../src/admission/serve/access.ts';
import { openEndpoint, type Reply } from '../../support/endpoint.ts';
import { at, cli } from '../../support/run-cli.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

const SECRET = randomBytes(48);

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c', total: 50 });
});

const server = (access: AccessOptions, trustProxy = false) => openEndpoint(stores, {}, { access, trustProxy });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = (claims: Record<string, unknown>, expires = '5m', secret: Uint8Array = SECRET) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(expires).sign(secret);

describe('users by token', () => {
  const identity = jwtIdentity({ keys: { secret: SECRET }, userClaim: 'sub', issuer: 'login', audience: 'shop' });
  const claims = { sub: 'kim', iss: 'login', aud: 'shop' };
  const forged: [string, () => Promise<string | null>][] = [
    ['none at all', async () => null],
    ['no token', async () => 'x'],
    ['alg none', async () => new UnsecuredJWT(claims).setExpirationTime('5m').encode()],
    ['another secret', () => token(claims, '5m', randomBytes(48))],
    ['an expired one', () => token(claims, '-1m')],
    ['another issuer', () => token({ ...claims, iss: 'other' })],
    ['another audience', () => token({ ...claims, aud: 'other' })],
    ['no user', () => token({ iss: 'login', aud: 'shop' })],
    ['a user that is no id', () => token({ ...claims, sub: 'a\nb' })],
    ['no expiry', () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(SECRET)],
    [
      'a changed payload',
      async () => (await token(claims)).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"lee"}').toString('base64url')}.`),
    ],
  ];

  test.each(forged)('%s: 401, and no key is written', async (_name, make) => {
    await using endpoint = await server({ identity });
    const given = await make();
    const reply = await endpoint.post('/coupons/c/requests', { userId: 'kim' }, given === null ? {} : bearer(given));
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(await stores.redis.zcard('coupon_waiting_queue:c')).toBe(0);
  });

  test('a good one says who asks; a body or a path of another user is 403', async () => {
    await using endpoint = await server({ identity });
    const kim = bearer(await token(claims));
    expect(await endpoint.post('/coupons/c/requests', {}, kim)).toMatchObject({ status: 202, body: { userId: 'kim' } });
    expect(await endpoint.post('/coupons/c/requests', { userId: 'kim' }, kim)).toMatchObject({ status: 409 });
    expect(await endpoint.post('/coupons/c/requests', { userId: 'lee' }, kim)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const ask = async (path: string): Promise<number> => (await fetch(`${endpoint.url}${path}`, { headers: kim })).status;
    expect([await ask('/coupons/c/requests/kim'), await ask('/coupons/c/requests/lee'), await ask('/coupons/c')]).toEqual([200, 403, 200]);
    const seven = bearer(await token({ ...claims, sub: 7 }));
    expect(await endpoint.post('/coupons/c/requests', { userId: 7 }, seven)).toMatchObject({ status: 202, body: { userId: '7' } });
  });

  test('keys that are fetched: signed by one of them, and 503 while they cannot be had', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    let up = false;
    const keys = createServer((_request, reply) => {
      reply.writeHead(up ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    const jwksUrl = new URL(`http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks.json`);
    await using endpoint = await server({ identity: jwtIdentity({ keys: { jwksUrl }, userClaim: 'sub' }) });
    const signed = await new SignJWT({ sub: 'kim' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setExpirationTime('5m')
      .sign(privateKey);
    expect(await endpoint.post('/coupons/c/requests', {}, bearer(signed))).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    up = true;
    expect(await endpoint.post('/coupons/c/requests', {}, bearer(signed))).toMatchObject({ status: 202 });
    // A public key as the secret of HMAC is an old trick.
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const confused = await new SignJWT({ sub: 'lee' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime('5m')
      .sign(Buffer.from(pem));
    expect(await endpoint.post('/coupons/c/requests', {}, bearer(confused))).toMatchObject({ status: 401 });
    await new Promise((resolve) => keys.close(resolve));
  });
});

test('coupons are used, and metrics read, by operators alone where that is asked for', async () => {
  const operatorToken = 'operator-token-of-16';
  await using open = await server({});
  await using guarded = await server({ operatorToken, protectMetrics: true });
  await using half = await server({ operatorToken });
  const use = (endpoint: typeof open, headers = {}): Promise<Reply> => endpoint.post('/coupons/c/issued/kim/use', undefined, headers);
  expect((await use(open)).status).toBe(404);
  for (const headers of [{}, bearer('operator-token-of-17'), bearer('x'), { authorization: operatorToken }])
    expect(await use(guarded, headers)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  expect((await use(guarded, bearer(operatorToken))).status).toBe(404);
  expect([(await open.get('/metrics')).status, (await half.get('/metrics')).status, (await guarded.get('/metrics')).status]).toEqual([
    200, 200, 401,
  ]);
  expect((await guarded.get('/livez')).status).toBe(200);
  // Users need no operator.
  expect((await guarded.ask('c', 'kim')).status).toBe(202);
});

describe('limits', () => {
  test('of a user: 429 with the time to come back, and nothing was asked', async () => {
    await using endpoint = await server({ perUser: { max: 2, windowMs: 60_000 } });
    const asked = [];
    for (let time = 0; time < 4; time += 1) asked.push(await endpoint.ask('c', 'kim'));
    expect(asked.map(({ status }) => status)).toEqual([202, 409, 429, 429]);
    expect(asked[3]).toMatchObject({ body: { code: 'rate_limited' } });
    expect(Number(asked[3]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(asked[0]!.headers.get('ratelimit-remaining')).toBe('1');
    expect((await endpoint.ask('c', 'lee')).status).toBe(202);
  });

  test('of an address, which a trusted proxy may say', async () => {
    const limit = { perAddress: { max: 1, windowMs: 60_000 } };
    const from = (
      endpoint: { post: (path: string, body: unknown, headers: Record<string, string>) => Promise<Reply> },
      user: string,
      address: string,
    ) => endpoint.post('/coupons/c/requests', { userId: user }, { 'x-forwarded-for': address });
    await using plain = await server(limit);
    expect([(await from(plain, 'a', '1.1.1.1')).status, (await from(plain, 'b', '2.2.2.2')).status]).toEqual([202, 429]);
    await using behind = await server(limit, true);
    const seen = [await from(behind, 'd', '1.1.1.1'), await from(behind, 'e', '2.2.2.2'), await from(behind, 'f', '1.1.1.1')];
    expect(seen.map(({ status }) => status)).toEqual([202, 202, 429]);
    // Probes are not limited.
    for (let time = 0; time < 3; time += 1) expect((await behind.get('/livez')).status).toBe(200);
  });
});

describe('the flags of serve', () => {
  const file = (text: string | Uint8Array): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'secret');
    writeFileSync(path, text);
    return path;
  };
  test.each<[string[], RegExp]>([
    [['--host', '0.0.0.0'], /IDENTITY_NEEDED[\s\S]*--trust-the-proxy/],
    [['--jwt-issuer', 'x'], /are about tokens/],
    [['--jwt-secret-file', '/nowhere'], /cannot be read \(ENOENT\)/],
    [['--jwt-secret-file', 'SHORT'], /has 5 bytes/],
    [['--jwt-secret-file', 'SHORT', '--jwt-jwks-url', 'https://x/y'], /exclude each other/],
    [['--jwt-jwks-url', 'http://login.example/keys'], /no https/],
    [['--protect-metrics'], /needs the token of an operator/],
    [['--operator-token-file', 'SHORT'], /too short/],
    [['--rate-limit-user', '5'], /is no limit/],
    [['--rate-limit-address', '0/s'], /is no limit/],
  ])('%s: exit 2', async (flags, words) => {
    const given = flags.map((flag) => (flag === 'SHORT' ? file('abc12') : flag));
    const { exitCode, stderr } = await cli([...at(stores), 'serve', '--port', '0', ...given]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
  });
});
