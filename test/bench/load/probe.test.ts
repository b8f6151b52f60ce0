import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { httpProbe } from '../../../src/bench/load/probe.ts';
import { until } from '../../support/until.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
const CHUNK = `1000\r\n${'x'.repeat(0x1000)}\r\n`;

/** Of the timers only those of the probe, and only when the test lets them go off. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A service that answers with these bytes, and never comes to an end. */
async function endless(answer: string): Promise<{ url: string; sockets: Set<Socket>; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.once('data', () => socket.write(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, close: () => server.close() };
}

test('a body beyond the limit is not waited for, and the connection is cut', async () => {
  const { url, sockets, close } = await endless(HEAD + CHUNK.repeat(17));
  expect(await httpProbe.probe(url)).toMatchObject({ status: 200 });
  vi.useRealTimers();
  await until(() => sockets.size === 0);
  close();
});

test('a body that stops half-way is given up when the time is over', async () => {
  const { url, sockets, close } = await endless(HEAD + CHUNK);
  const probing = httpProbe.probe(url);
  while (sockets.size === 0 || vi.getTimerCount() === 0) await new Promise(setImmediate);
  // The head may be on its way still.
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await probing).toMatchObject({ status: 200 });
  close();
});

test.each(['', 'HTTP/1.1 200 OK\r\nX-Slow:'])('no answer but %j is none when the time is over', async (begun) => {
  const { url, sockets, close } = await endless(begun);
  const failed = httpProbe.probe(url).catch((error: unknown) => error);
  while (sockets.size === 0) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await failed).toMatchObject({ code: 'BENCH_TARGET_DOWN', kind: 'unreachable' });
  close();
});

test('a stop signal ends it', async () => {
  const { url, sockets, close } = await endless(HEAD + CHUNK);
  const stop = new AbortController();
  const failed = httpProbe.probe(url, undefined, { signal: stop.signal }).catch((error: unknown) => error);
  while (sockets.size === 0) await new Promise(setImmediate);
  stop.abort();
  expect(await failed).toMatchObject({ name: 'AbortError' });
  close();
});
