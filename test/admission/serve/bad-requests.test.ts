import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEndpoint, type TestEndpoint } from '../../support/endpoint.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
let endpoint: TestEndpoint;

beforeAll(async () => {
  stores = await openStores();
  endpoint = await openEndpoint(stores);
  await stores.seed({ id: '42', total: 3 });
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});

const REQUESTS = '/coupons/42/requests';
const JSON_TYPE = { 'content-type': 'application/json' };

async function raw(
  path: string,
  init: RequestInit,
): Promise<{ status: number; type: string | null; allow: string | null; body: Record<string, unknown> }> {
  const response = await fetch(`${endpoint.url}${path}`, init);
  const { headers } = response;
  return {
    status: response.status,
    type: headers.get('content-type'),
    allow: headers.get('allow'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** Writes bytes as they are, and returns whatever comes back until the server hangs up. */
async function bytes(data: string): Promise<string> {
  const { hostname, port } = new URL(endpoint.url);
  const socket = connect(Number(port), hostname);
  socket.write(data);
  return text(socket);
}

describe('what cannot be understood is a problem document', () => {
  const cases: [string, string, RequestInit, number, string][] = [
    ['JSON that does not parse', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":' }, 400, 'invalid_request'],
    ['no body', REQUESTS, { method: 'POST' }, 400, 'invalid_request'],
    ['an empty body of type JSON', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '' }, 400, 'invalid_request'],
    ['a body that is no object', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '["minji"]' }, 400, 'invalid_request'],
    ['a body of null', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: 'null' }, 400, 'invalid_request'],
    ['no user id', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{}' }, 400, 'invalid_request'],
    ['a fraction as user id', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":7.5}' }, 400, 'invalid_request'],
    ['an empty user id', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":""}' }, 400, 'invalid_request'],
    ['a user id with a brace', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":"a{b"}' }, 400, 'invalid_request'],
    ['a user id with a line break', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":"a\\n"}' }, 400, 'invalid_request'],
    ['a user id in Hangul', REQUESTS, { method: 'POST', headers: JSON_TYPE, body: '{"userId":"민지"}' }, 400, 'invalid_request'],
    [
      'a user id that is too long',
      REQUESTS,
      { method: 'POST', headers: JSON_TYPE, body: `{"userId":"${'x'.repeat(129)}"}` },
      400,
      'invalid_request',
    ],
    [
      'a prototype in the body',
      REQUESTS,
      { method: 'POST', headers: JSON_TYPE, body: '{"userId":"a","__proto__":{}}' },
      400,
      'invalid_request',
    ],
    [
      'a key with a blank',
      REQUESTS,
      { method: 'POST', headers: { ...JSON_TYPE, 'idempotency-key': 'a b' }, body: '{"userId":"a"}' },
      400,
      'invalid_request',
    ],
    [
      'a coupon id that cannot be',
      '/coupons/-42/requests',
      { method: 'POST', headers: JSON_TYPE, body: '{"userId":"a"}' },
      400,
      'invalid_request',
    ],
    [
      'an encoding that is none',
      '/coupons/%zz/requests',
      { method: 'POST', headers: JSON_TYPE, body: '{"userId":"a"}' },
      400,
      'invalid_request',
    ],
    [
      'a body that is not JSON',
      REQUESTS,
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'minji' },
      415,
      'unsupported_media_type',
    ],
    ['a form', REQUESTS, { method: 'POST', body: new URLSearchParams({ userId: 'minji' }) }, 415, 'unsupported_media_type'],
    [
      'a body that is too large',
      REQUESTS,
      { method: 'POST', headers: JSON_TYPE, body: `{"userId":"a","x":"${'x'.repeat(20_000)}"}` },
      413,
      'payload_too_large',
    ],
    ['a path that is too long', `/coupons/${'x'.repeat(2_000)}`, {}, 414, 'uri_too_long'],
    ['a path that is not there', '/coupon/42', {}, 404, 'not_found'],
    ['a method that is not there', REQUESTS, { method: 'PUT', body: 'anything' }, 405, 'method_not_allowed'],
    ['a status that is asked with DELETE', `${REQUESTS}/minji`, { method: 'DELETE' }, 405, 'method_not_allowed'],
  ];

  test.each(cases)('%s', async (_name, path, init, status, code) => {
    const reply = await raw(path, init);
    expect(reply.body).toMatchObject({
      type: `urn:problem-type:coupon-cli:${code}`,
      status,
      code,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(reply.status).toBe(status);
    expect(reply.type).toMatch(/^application\/problem\+json/);
  });

  test('nothing of all this reached a store', async () => {
    expect(await stores.redis.hget('coupon:42', 'stock')).toBe('3');
    expect(endpoint.faults).toEqual([]);
  });

  test('405 names the methods that are possible', async () => {
    expect((await raw(REQUESTS, { method: 'GET' })).allow).toBe('POST');
    expect((await raw('/coupons/42', { method: 'POST' })).allow).toBe('GET, HEAD');
  });

  test('bytes that are no HTTP, and headers without end', async () => {
    expect(await bytes('how do you do?\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"invalid_request"/);
    expect(await bytes(`GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/,
    );
  });
});

describe('what looks odd but is right', () => {
  test('a user id of 128 odd characters works in a body and in a path', async () => {
    const userId = `a/b?c=%41&d|~!"#$'()*+,-.:;<=>@[\\]^_\``.padEnd(128, 'z');
    expect((await endpoint.ask('42', userId)).status).toBe(202);
    const status = await endpoint.get(`/coupons/42/requests/${encodeURIComponent(userId)}`);
    expect(status).toMatchObject({ status: 200, body: { userId, state: 'waiting' } });
  });

  test('further fields of the body are ignored, and a charset is allowed', async () => {
    const reply = await endpoint.post(REQUESTS, { userId: 'jisu', from: 'app' }, { 'content-type': 'application/json; charset=utf-8' });
    expect(reply.status).toBe(202);
  });
});
