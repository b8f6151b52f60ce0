/** A service by its answers alone: one function decides every POST, and a GET is always well. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OddServer extends AsyncDisposable {
  url: string;
  /** Requests other than GET. */
  heard: number;
  /** Ends at once, with every connection. */
  die(): void;
}

export type Answer = (reply: ServerResponse, body: { userId: string }, nth: number, request: IncomingMessage) => void;

export async function oddServer(answer: Answer, get: (reply: ServerResponse) => void = (reply) => reply.end()): Promise<OddServer> {
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET') return get(reply);
      odd.heard += 1;
      answer(reply, JSON.parse(Buffer.concat(chunks).toString()) as { userId: string }, odd.heard, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const odd: OddServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: 0,
    die() {
      server.closeAllConnections();
      server.close();
    },
    async [Symbol.asyncDispose]() {
      odd.die();
      await new Promise((resolve) => (server.listening ? server.once('close', resolve) : resolve(null)));
    },
  };
  return odd;
}
