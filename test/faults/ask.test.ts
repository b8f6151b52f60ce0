import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ask, outcomeOfReply, type Reply } from './ask.ts';

/** What one question to such a server comes to. */
async function asked(answer: RequestListener, timeoutMs = 10_000): Promise<Reply> {
  const server = createServer(answer);
  const agent = new Agent();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const question = { couponId: 'c', userId: 'u', key: 'k' };
  try {
    return await ask(`http://127.0.0.1:${port}`, question, { agent, timeoutMs });
  } finally {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  }
}

it('an answer counts only when status and word agree', async () => {
  expect(await asked((_, reply) => reply.writeHead(202).end('{"outcome":"accepted"}'))).toEqual({ outcome: 'accepted', status: 202 });
  expect(outcomeOfReply(410, '{"code":"sold_out"}')).toBe('sold_out');
  expect(outcomeOfReply(503, '{"code":"unavailable"}')).toBe('unavailable');
  expect(outcomeOfReply(503, '{"code":"unknown"}')).toBe('unknown');
  expect(outcomeOfReply(202, '{"code":"duplicate"}')).toBe('unexpected');
  expect(outcomeOfReply(500, '{"code":"internal_error"}')).toBe('unexpected');
  expect(outcomeOfReply(503, 'Bad Gateway')).toBe('unexpected');
});

it('whatever was sent and not answered is unknown: closed, broken off, or too late', async () => {
  const unknown = { outcome: 'unknown', status: 0 };
  expect(await asked((request) => request.socket.destroy())).toEqual(unknown);
  expect(
    await asked((request, reply) => {
      reply.writeHead(202, { 'content-length': 100 }).write('{"outcome"');
      setTimeout(() => request.socket.destroy(), 20);
    }),
  ).toEqual(unknown);
  expect(await asked(() => undefined, 50)).toEqual(unknown);
});

it('only a connection that was refused is unsent', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const options = { agent: new Agent(), timeoutMs: 10_000 };
  expect(await ask(`http://127.0.0.1:${port}`, { couponId: 'c', userId: 'u', key: 'k' }, options)).toEqual({
    outcome: 'unsent',
    status: 0,
  });
});
