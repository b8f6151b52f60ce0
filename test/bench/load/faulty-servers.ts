/** Small servers, each with one fault of the network or of HTTP. They count what they processed, so a test can compare. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface FaultyServer extends AsyncDisposable {
  url: string;
  port: number;
  /** Users whose request was taken on, in order. */
  processed: string[];
}

export interface Exchange {
  socket: Socket;
  userId: string;
  /** Number of this request, from 1, over all connections. */
  nth: number;
  /** Number of this request on its connection, from 1. */
  onConnection: number;
  reply(status: number, options?: { body?: string; headers?: string[] }): void;
}

/** A server on raw sockets, so that it can break every rule. `handle` is called for each complete request. */
export async function rawServer(handle: (exchange: Exchange) => void, port = 0): Promise<FaultyServer> {
  const processed: string[] = [];
  const sockets = new Set<Socket>();
  let nth = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let pending = '';
    let onConnection = 0;
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const head = pending.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0);
        if (head < 0 || pending.length < head + 4 + length) return;
        const body = pending.slice(head + 4, head + 4 + length);
        pending = pending.slice(head + 4 + length);
        nth += 1;
        onConnection += 1;
        const { userId } = JSON.parse(body) as { userId: string };
        handle({ socket, userId, nth, onConnection, reply: (status, options) => socket.write(replyText(status, options)) });
      }
    });
  });
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    processed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function replyText(status: number, { body = '{}', headers = [] }: { body?: string; headers?: string[] } = {}): string {
  return [`HTTP/1.1 ${status} X`, `Content-Length: ${body.length}`, ...headers, '', body].join('\r\n');
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** A port that nobody listens on (somebody did a moment ago). */
export async function deadPort(): Promise<number> {
  await using server = await rawServer(() => undefined);
  return server.port;
}
