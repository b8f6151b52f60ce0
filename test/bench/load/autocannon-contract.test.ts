/**
 * What `src/bench/load/hardened-client.ts` relies on in autocannon 9.0.0, none of it documented. If a new version fails here, the
 * hardening has to be looked at again before it is taken; the faulty-network tests then say whether it still works.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import autocannon from 'autocannon';
import { describe, expect, test } from 'vitest';
import type { AutocannonClient } from '../../../src/bench/load/autocannon-client.ts';
import { rawServer } from './faulty-servers.ts';

const require = createRequire(import.meta.url);

/** The client as `setupClient` sees it, and as it is when the run has ended. */
async function observe(look: (client: AutocannonClient) => void): Promise<void> {
  await using server = await rawServer(({ reply }) => reply(202));
  const body = '{"userId":"u"}';
  await autocannon({
    url: server.url,
    method: 'POST',
    body,
    connections: 1,
    amount: 3,
    sampleInt: 10,
    setupClient: (client) => look(client as unknown as AutocannonClient),
  });
}

test('the version is pinned to the one that was read', () => {
  const { version } = require('autocannon/package.json') as { version: string };
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  expect(version).toBe('9.0.0');
  expect(dependencies['autocannon']).toBe('9.0.0');
});

describe('a client in setupClient', () => {
  test('has not connected yet, and has the methods that are replaced', async () => {
    const seen: unknown[] = [];
    await observe((client) => {
      seen.push({
        conn: client.conn,
        destroyed: client.destroyed,
        methods: [client._connect, client._doRequest, client._destroyConnection, client.destroy].map((method) => typeof method),
        iterator: [client.requestIterator.nextRequest, client.requestIterator.recordBody].map((method) => typeof method),
        parser: typeof client.parser.finish,
      });
    });
    expect(seen).toEqual([
      {
        conn: undefined,
        destroyed: false,
        methods: ['function', 'function', 'function', 'function'],
        iterator: ['function', 'function'],
        parser: 'function',
      },
    ]);
  });

  test('connects through its own property, so that a replacement is what is called', async () => {
    const calls: string[] = [];
    await observe((client) => {
      for (const name of ['_connect', '_doRequest'] as const) {
        const original = client[name].bind(client);
        client[name] = () => {
          calls.push(name);
          original();
        };
      }
    });
    // The fourth asks for one request too many, and ends the client.
    expect(calls).toEqual(['_connect', '_doRequest', '_doRequest', '_doRequest', '_doRequest']);
  });

  test('has its timer and its parser handlers when it connects', async () => {
    let seen: unknown = null;
    await observe((client) => {
      const connect = client._connect.bind(client);
      client._connect = () => {
        const { constructor: ParserOf } = client.parser;
        seen = {
          ticker: [client.timeoutTicker.reschedule, client.timeoutTicker.clear].map((method) => typeof method),
          handlers: [ParserOf.kOnHeaders, ParserOf.kOnHeadersComplete, ParserOf.kOnBody, ParserOf.kOnMessageComplete].map((key) =>
            Object.hasOwn(client.parser, key),
          ),
          fresh: typeof new ParserOf('RESPONSE').finish,
        };
        connect();
      };
    });
    expect(seen).toEqual({ ticker: ['function', 'function'], handlers: [true, true, true, true], fresh: 'function' });
  });

  test('asks nextRequest for all but the first request, sends currentRequest, and hands status and body to recordBody', async () => {
    const sent: string[] = [];
    const got: unknown[] = [];
    let asked = 0;
    await using server = await rawServer(({ userId, reply }) => {
      sent.push(userId);
      reply(202, { body: `{"for":"${userId}"}` });
    });
    await autocannon({
      url: server.url,
      connections: 1,
      amount: 3,
      sampleInt: 10,
      setupClient: (raw) => {
        const { requestIterator } = raw as unknown as AutocannonClient;
        const put = (): void => {
          const body = `{"userId":"u${sent.length}"}`;
          requestIterator.currentRequest = {
            requestBuffer: Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
          };
        };
        put();
        requestIterator.nextRequest = () => {
          asked += 1;
          put();
          return requestIterator.currentRequest;
        };
        requestIterator.recordBody = (_request, status, body) => void got.push([status, body]);
      },
    });
    expect(sent).toEqual(['u0', 'u1', 'u2']);
    expect(asked).toBe(2);
    expect(got).toEqual([
      [202, '{"for":"u0"}'],
      [202, '{"for":"u1"}'],
      [202, '{"for":"u2"}'],
    ]);
  });

  test('parses with http-parser-js: info, hadError, and how far it has read', async () => {
    const seen: unknown[] = [];
    await observe((client) => {
      client.requestIterator.recordBody = () => {
        const { info, hadError, offset, end } = client.parser;
        seen.push({ status: info.statusCode, keepAlive: info.shouldKeepAlive, hadError, allRead: offset === end });
      };
    });
    expect(seen).toHaveLength(3);
    expect(seen[0]).toEqual({ status: 202, keepAlive: true, hadError: false, allRead: true });
  });
});

test('a client that is not let connect in its constructor may do so later, or end without ever having had a connection', async () => {
  await using server = await rawServer(({ reply }) => reply(202));
  const clients: AutocannonClient[] = [];
  const held: (() => void)[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    autocannon(
      {
        url: server.url,
        method: 'POST',
        body: '{"userId":"u"}',
        connections: 2,
        duration: 2_000_000,
        sampleInt: 10,
        setupClient: (raw) => {
          const client = raw as unknown as AutocannonClient;
          const connect = client._connect.bind(client);
          clients.push(client);
          client._connect = () => held.push(connect);
          client.requestIterator.recordBody = () => client.destroy();
        },
      },
      (error: Error | null) => (error ? reject(error) : resolve()),
    );
  });
  expect(clients.map(({ conn }) => conn)).toEqual([undefined, undefined]);
  // Its own timer would connect it after a while.
  for (const client of clients) client.timeoutTicker.clear();
  setImmediate(() => {
    held[0]!();
    clients[1]!.conn = new Socket();
    clients[1]!.destroy();
  });
  await ended;
  expect(held).toHaveLength(2);
});

test('destroy() ends the run of the last client, and the run calls back', async () => {
  await using server = await rawServer(({ reply }) => reply(202));
  const result = await new Promise<{ requests: { total: number } }>((resolve, reject) => {
    autocannon(
      {
        url: server.url,
        method: 'POST',
        body: '{"userId":"u"}',
        connections: 2,
        duration: 2_000_000,
        sampleInt: 10,
        setupClient: (raw) => {
          const client = raw as unknown as AutocannonClient;
          client.requestIterator.recordBody = () => client.destroy();
        },
      },
      (error: Error | null, done: { requests: { total: number } }) => (error ? reject(error) : resolve(done)),
    );
  });
  expect(result).toHaveProperty('requests');
});
