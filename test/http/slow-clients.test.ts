import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { Wire } from './hostile/wire.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(async () => {
  await stores.clear();
  await stores.seed({ id: 'c', total: 5 });
});

const LIVE = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n';
const BODY = '{"userId":"kim"}';
const HEAD = `POST /coupons/c/requests HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;

/** Both limits are up when Node looks next. */
function impatient(server: Server): { timedOut: () => number } {
  server.headersTimeout = 1;
  server.requestTimeout = 1;
  let timedOut = 0;
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') timedOut += 1;
  });
  return { timedOut: () => timedOut };
}

const connections = (server: Server): Promise<number> => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));

test('a connection that has asked for nothing yet is kept like one that waits for its next request', async () => {
  await using endpoint = await openEndpoint(stores);
  const { timedOut } = impatient(endpoint.app.server);
  const wire = new Wire(endpoint.url);
  await until(() => timedOut() === 1);
  wire.write(LIVE);
  expect((await wire.hear(1))[0]?.status).toBe(200);
});

test('connections that have asked for nothing make room where there is none', async () => {
  await using endpoint = await openEndpoint(stores, {}, { limits: { maxConnections: 3 } });
  const { timedOut } = impatient(endpoint.app.server);
  const quiet = Array.from({ length: 3 }, () => new Wire(endpoint.url));
  await until(() => timedOut() === 3);
  expect(await new Wire(endpoint.url).hear(1)).toEqual([]);
  expect(await Promise.all(quiet.map((wire) => wire.hear(1)))).toEqual([[], [], []]);
  await until(async () => (await connections(endpoint.app.server)) === 0);
  const wire = new Wire(endpoint.url);
  wire.write(LIVE);
  expect((await wire.hear(1))[0]?.status).toBe(200);
});

test('connections that have asked for nothing do not hold up the end', async () => {
  const endpoint = await openEndpoint(stores);
  const wire = new Wire(endpoint.url);
  await until(async () => (await connections(endpoint.app.server)) === 1);
  await endpoint[Symbol.asyncDispose]();
  expect(await wire.hear(1)).toEqual([]);
});

describe('whoever hears that the time is up was not admitted, and is not any more', () => {
  test.each([
    ['in the headers', HEAD.slice(0, 40), HEAD.slice(40) + BODY],
    ['in the body', HEAD, BODY],
    ['at the last byte', HEAD + BODY.slice(0, -1), BODY.slice(-1)],
  ])('%s', async (_name, first, rest) => {
    await using endpoint = await openEndpoint(stores);
    const { server } = endpoint.app;
    impatient(server);
    const wire = new Wire(endpoint.url);
    wire.write(first);
    // The rest is there before the answer has left.
    server.on('clientError', () => wire.write(rest));
    expect((await wire.hear(1))[0]?.status).toBe(408);
    wire.write(rest);
    // It does not hang up, and is hung up on.
    await until(async () => (await connections(server)) === 0);
    expect(await stores.redis.zcard('coupon_waiting_queue:c')).toBe(0);
    expect(endpoint.faults).toEqual([]);
  });
});
