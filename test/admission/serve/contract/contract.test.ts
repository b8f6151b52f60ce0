import { Validator } from '@seriousme/openapi-schema-validator';
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jwtIdentity } from '../../../../src/admission/serve/identity.ts';
import { CouponError } from '../../../../src/lib/errors.ts';
import { Database } from '../../../../src/stores/postgres/connection/database.ts';
import { postgresLedger } from '../../../../src/stores/postgres/ledger.ts';
import { redisAdmission } from '../../../../src/stores/redis/admission.ts';
import { openRedis } from '../../../../src/stores/redis/connection/open.ts';
import { redisHealth } from '../../../../src/stores/redis/connection/health.ts';
import { redisReader } from '../../../../src/stores/redis/reader.ts';
import { Wire } from '../../../http/hostile/wire.ts';
import { openEndpoint, type TestEndpoint } from '../../../support/endpoint.ts';
import { issueWaiting } from '../../../support/issue.ts';
import { openStores, type TestStores } from '../../../support/stores.ts';
import { openProxy } from '../../../support/tcp-proxy.ts';
import { until } from '../../../support/until.ts';
import { Contract, type OpenApi } from './contract.ts';

let stores: TestStores;
let open: TestEndpoint;
let document: OpenApi;
let contract: Contract;

beforeAll(async () => {
  stores = await openStores();
  open = await openEndpoint(stores);
  document = (await open.get('/openapi.json')).body as unknown as OpenApi;
  contract = new Contract(document);
  await stores.seed({ id: 'c', total: 50 });
  await stores.seed({ id: 'one', total: 1 });
  await stores.seed({ id: 'over', closesAt: new Date('2020-01-01') });
  await stores.seed({ id: 'paused' });
  await stores.redis.hset('coupon:paused', 'state', 'paused');
  await stores.seed({ id: 'later', opensAt: new Date(Date.now() + 3_600_000) });
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

type Init = { headers?: Record<string, string>; body?: string };

/** Asks, and holds the reply against the document. Returns the status and the code. */
async function ask({ url }: { url: string }, method: string, path: string, init: Init = {}): Promise<string> {
  const response = await fetch(`${url}${path}`, { method, ...init });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  expect(contract.check({ method, path, status: response.status, type, text })).toEqual([]);
  const code = type.includes('problem') ? ` ${(JSON.parse(text) as { code: string }).code}` : '';
  return `${response.status}${code}`;
}

const request = (userId: unknown, more: Record<string, string> = {}): Init => ({
  headers: { 'content-type': 'application/json', ...more },
  body: JSON.stringify({ userId }),
});
const requestOf = (endpoint: { url: string }, userId: unknown, coupon = 'c', more = {}): Promise<string> =>
  ask(endpoint, 'POST', `/coupons/${coupon}/requests`, request(userId, more));
const USE = '/coupons/c/issued/kim/use';

test('the document is OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(document as unknown as Record<string, unknown>);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(document.openapi).toMatch(/^3\.1\./);
});

describe('every reply is as the document says', () => {
  test('of a request', async () => {
    expect(await requestOf(open, 'kim')).toBe('202');
    expect(await requestOf(open, 'kim')).toBe('409 duplicate');
    expect(await requestOf(open, 'lee', 'one')).toBe('202');
    expect(await requestOf(open, 'kim', 'one')).toBe('410 sold_out');
    expect(await requestOf(open, 'kim', 'later')).toBe('403 not_yet_open');
    expect(await requestOf(open, 'kim', 'over')).toBe('403 closed');
    expect(await requestOf(open, 'kim', 'paused')).toBe('403 not_open');
    expect(await requestOf(open, 'kim', 'none')).toBe('404 unknown_coupon');
    expect(await requestOf(open, true)).toBe('400 invalid_request');
    expect(await requestOf(open, 'x'.repeat(20_000))).toBe('413 payload_too_large');
    expect(await requestOf(open, 'kim', 'c', { 'content-type': 'text/plain' })).toBe('415 unsupported_media_type');
  });

  test('of a look', async () => {
    const status = (path: string): Promise<string> => ask(open, 'GET', path);
    expect(await status('/coupons/c/requests/kim')).toBe('200');
    expect(await status('/coupons/c/requests/nobody')).toBe('404 not_requested');
    expect(await status('/coupons/none/requests/kim')).toBe('404 unknown_coupon');
    expect(await status('/coupons/c/requests/%7B')).toBe('400 invalid_request');
    for (const [path, answer] of [
      ['/coupons/c', '200'],
      ['/coupons/later', '200'],
      ['/coupons/none', '404 unknown_coupon'],
      ['/coupons/-', '400 invalid_request'],
    ] as const)
      expect(await status(path)).toBe(answer);
    for (const path of ['/livez', '/readyz', '/metrics']) expect(await status(path)).toBe('200');
  });

  test('of a use', async () => {
    const use = (init: Init = {}): Promise<string> => ask(open, 'POST', USE, init);
    expect(await use()).toBe('404 not_issued');
    await issueWaiting(stores, 'c');
    expect(await use({ headers: { origin: 'https://evil.example' } })).toBe('403 forbidden');
    expect(await use({ headers: { 'content-type': 'text/xml' }, body: '<a/>' })).toBe('415 unsupported_media_type');
    expect(await use({ headers: { 'content-type': 'application/json' }, body: ' '.repeat(20_000) })).toBe('413 payload_too_large');
    expect(await use({ headers: { 'idempotency-key': 'a b' } })).toBe('400 invalid_request');
    expect(await use()).toBe('200');
    expect(await use()).toBe('409 already_used');
    expect(await ask(open, 'GET', '/coupons/c/requests/kim')).toBe('200');
    await stores.sql(
      "UPDATE issued_coupons SET used_at = NULL, use_id = NULL, expires_at = '2021-01-01T00:00:00Z', requested_at = '2020-01-01', issued_at = '2020-01-02'",
    );
    expect(await use()).toBe('410 expired');
    await stores.sql("UPDATE issued_coupons SET revoked_at = '2021-01-01T00:00:00Z'");
    expect(await use()).toBe('410 revoked');
  });

  test('of one who may not', async () => {
    const secret = randomBytes(48);
    const authorization = `Bearer ${await new SignJWT({ sub: 'kim' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('5m').sign(secret)}`;
    const identity = jwtIdentity({ keys: { secret }, userClaim: 'sub' });
    const access = { identity, operatorToken: 'operator-token-of-16', protectMetrics: true, perAddress: { max: 4, windowMs: 3_600_000 } };
    await using guarded = await openEndpoint(stores, {}, { access });
    expect(await requestOf(guarded, 'kim')).toBe('401 unauthorized');
    expect(await requestOf(guarded, 'lee', 'c', { authorization })).toBe('403 forbidden');
    expect(await ask(guarded, 'GET', '/coupons/c/requests/kim')).toBe('401 unauthorized');
    expect(await ask(guarded, 'GET', '/coupons/c/requests/lee', { headers: { authorization } })).toBe('403 forbidden');
    expect(await requestOf(guarded, 'kim', 'c', { authorization })).toBe('429 rate_limited');
    expect(await ask(guarded, 'GET', '/coupons/c/requests/kim', { headers: { authorization } })).toBe('429 rate_limited');
    expect(await ask(guarded, 'POST', USE)).toBe('401 unauthorized');
    expect(await ask(guarded, 'GET', '/metrics')).toBe('401 unauthorized');
  });

  test('without Redis', async () => {
    await using proxy = await openProxy(stores.redisUrl);
    const connection = await openRedis({ url: proxy.through(stores.redisUrl), reconnect: true });
    const ports = { admission: redisAdmission(connection, 'plain'), reader: redisReader(connection, 'plain') };
    const metrics = () => async (): Promise<string> => {
      throw new CouponError({ code: 'METRICS_LATE', kind: 'unreachable', message: 'a worker did not say what it counts', fix: 'Wait.' });
    };
    await using behind = await openEndpoint(
      stores,
      { ...ports, health: { ...stores.health, redis: redisHealth(connection) } },
      { metrics },
    );
    proxy.holdReplies();
    const lost = requestOf(behind, 'lost');
    await until(async () => (await stores.redis.hexists('coupon_admitted:c', 'lost')) === 1);
    await proxy.cut();
    expect(await lost).toBe('503 unknown');
    expect(await requestOf(behind, 'away')).toBe('503 unavailable');
    for (const path of ['/coupons/c/requests/kim', '/coupons/c', '/readyz', '/metrics'])
      expect(await ask(behind, 'GET', path)).toBe('503 unavailable');
    connection.close();
  });

  test('without the ledger', async () => {
    await requestOf(open, 'late');
    await issueWaiting(stores, 'c');
    await using proxy = await openProxy(stores.databaseUrl);
    const database = new Database(proxy.through(stores.databaseUrl));
    await using behind = await openEndpoint(stores, { ledger: postgresLedger(database) });
    expect(await ask(behind, 'POST', '/coupons/c/issued/nobody/use')).toBe('404 not_issued');
    proxy.holdReplies();
    const lost = ask(behind, 'POST', '/coupons/c/issued/late/use');
    await until(async () => (await stores.sql("SELECT FROM issued_coupons WHERE user_id = 'late' AND used_at IS NOT NULL")).length === 1);
    await proxy.cut();
    expect(await lost).toBe('503 unknown');
    expect(await ask(behind, 'POST', '/coupons/c/issued/late/use')).toBe('503 unavailable');
    await database.close();
  });

  test('of what never reaches a route', async () => {
    const paths = { POST: ['/coupons/c/requests', USE], GET: ['/coupons/c', '/coupons/c/requests/kim', '/livez', '/readyz', '/metrics'] };
    for (const [method, all] of Object.entries(paths)) {
      for (const path of all) {
        const wire = new Wire(open.url);
        wire.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n`);
        const [heard] = await wire.hear(1);
        const type = /^content-type: (.*)$/im.exec(heard!.headers)![1]!;
        expect(contract.check({ method, path, status: heard!.status, type, text: heard!.body })).toEqual([]);
        expect(heard!.status).toBe(417);
      }
    }
  });

  test('and no answer is promised that nobody ever got, but for mistakes in the program', () => {
    expect(contract.unseen().filter((one) => !one.endsWith('500 internal_error'))).toEqual([]);
    expect(contract.unseen()).not.toEqual([]);
  });
});
