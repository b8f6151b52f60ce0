import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEndpoint, type TestEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';

let stores: TestStores;
let endpoint: TestEndpoint;
beforeAll(async () => {
  stores = await openStores();
  endpoint = await openEndpoint(stores);
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  await stores[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c', total: 5 });
});

/** Sends bytes, closes this side, and reads until the other side does. */
function raw(text: string): Promise<string> {
  const { port } = new URL(endpoint.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    let said = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    socket.on('end', () => resolve(said));
    socket.on('error', reject);
    socket.end(text);
  });
}

const asked = (headers: string, userId = 'kim'): string => {
  const body = JSON.stringify({ userId });
  return `POST /coupons/c/requests HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

test('a client that closes its side is admitted, and hears so', async () => {
  expect(await raw(asked('Host: x\r\nConnection: close\r\n'))).toMatch(/^HTTP\/1\.1 202 /);
  expect(await stores.redis.zcard('coupon_waiting_queue:c')).toBe(1);
});

describe('every refusal is a problem document, and nothing was asked', () => {
  test.each([
    ['no Host', asked('Connection: close\r\n'), 400, 'invalid_request'],
    ['an expectation', asked('Host: x\r\nExpect: tea\r\nConnection: close\r\n'), 417, 'expectation_failed'],
    ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405, 'method_not_allowed'],
    ['a compressed body', asked('Host: x\r\nContent-Encoding: br\r\nConnection: close\r\n'), 415, 'unsupported_media_type'],
    ['the page of another site', asked('Host: x\r\nOrigin: https://evil.example\r\nConnection: close\r\n'), 403, 'forbidden'],
    ['a page without a site', asked('Host: x\r\nOrigin: null\r\nConnection: close\r\n'), 403, 'forbidden'],
    [
      'a use from the page of another site',
      'POST /coupons/c/issued/kim/use HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      403,
      'forbidden',
    ],
  ])('%s', async (_name, text, status, code) => {
    const reply = await raw(text);
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(reply.toLowerCase()).toContain('content-type: application/problem+json');
    expect(JSON.parse(reply.slice(reply.indexOf('{')))).toMatchObject({ status, code });
    expect(await stores.redis.zcard('coupon_waiting_queue:c')).toBe(0);
  });
});

test('the pages of this very site may ask, and reading is for all', async () => {
  expect(await raw(asked('Host: shop.example\r\nOrigin: https://shop.example\r\nConnection: close\r\n'))).toMatch(/^HTTP\/1\.1 202 /);
  expect(await raw('GET /coupons/c HTTP/1.1\r\nHost: x\r\nOrigin: https://other.example\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 200 /,
  );
});

test('metrics say nothing of versions, and look at the stores once a second however many ask', async () => {
  let looks = 0;
  const reader = { ...stores.reader, coupon: (id: string) => ((looks += 1), stores.reader.coupon(id)) };
  await using counted = await openEndpoint(stores, { reader });
  const began = performance.now();
  const texts = await Promise.all(Array.from({ length: 20 }, () => counted.get('/metrics')));
  expect(texts.every(({ text }) => text.includes('coupon_stock_remaining{coupon="c"} 5'))).toBe(true);
  expect(texts[0]!.text).not.toMatch(/nodejs_version|v20\./);
  expect(looks).toBeLessThanOrEqual(2 + Math.floor((performance.now() - began) / 1_000));
});
