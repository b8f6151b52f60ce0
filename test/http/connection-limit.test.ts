import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEndpoint } from '../support/endpoint.ts';
import { openStores, type TestStores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { Wire } from './hostile/wire.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores();
});
afterAll(() => stores[Symbol.asyncDispose]());

const LIVE = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n';
const MOST = 5;

test('one connection more than the limit is hung up on, and those that are idle make room for the next', async () => {
  await using endpoint = await openEndpoint(stores, {}, { limits: { maxConnections: MOST } });
  const connected = (): Promise<number> => new Promise((resolve) => endpoint.app.server.getConnections((_error, count) => resolve(count)));
  const ask = async (wire: Wire): Promise<number | undefined> => {
    wire.write(LIVE);
    return (await wire.hear(1))[0]?.status;
  };
  const busy = Array.from({ length: MOST }, () => new Wire(endpoint.url));
  for (const wire of busy) wire.write('GET /livez HTTP/1.1\r\n');
  await until(async () => (await connected()) === MOST);
  expect(await ask(new Wire(endpoint.url))).toBeUndefined();
  expect(await connected()).toBe(MOST);

  // Two of them get to the end, and wait for what they may ask next.
  for (const wire of busy.slice(0, 2)) {
    wire.write('Host: a\r\n\r\n');
    expect((await wire.hear(1))[0]?.status).toBe(200);
  }
  expect(await ask(new Wire(endpoint.url))).toBeUndefined();
  await until(async () => (await connected()) === MOST - 2);
  expect(await ask(new Wire(endpoint.url))).toBe(200);
  // Whoever was in the middle of a request is left alone.
  for (const wire of busy.slice(2)) {
    wire.write('Host: a\r\n\r\n');
    expect((await wire.hear(1))[0]?.status).toBe(200);
  }
});
