import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Connections, MAX_CONNECTIONS } from './connections.ts';
import { bareProblem, codeOfStatus, problem, PROBLEM_TYPE, type Problem } from './problem.ts';

/** For a request to arrive as a whole: a client may not keep a connection busy by dripping bytes. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** For its headers alone. Node looks at both limits every so often. */
export const HEADERS_TIMEOUT_MS = 10_000;
const TIMEOUTS_LOOKED_AT_MS = 2_000;
/** A connection without a word for so long waits for its first request; that of a younger one may be on the way. */
const SILENT_MS = 1_000;
/** Longer than the load balancers of the clouds keep an idle connection: who closes first may cut off a request. */
const KEEP_ALIVE_MS = 72_000;

/** The server below Fastify: limits, and a problem document for what Node would refuse without a word. */
export function nodeServer(listener: RequestListener, maxConnections = MAX_CONNECTIONS): Server {
  const connections = new Connections();
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUTS_LOOKED_AT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Its refusal would have no body.
      requireHostHeader: false,
    },
    connections.fairly(listener),
  );
  server.maxConnections = maxConnections;
  countSilentAsIdle(server);
  // One more is hung up on. Those that only wait for a request make room for whoever comes then.
  server.on('drop', () => server.closeIdleConnections());
  // A client that has said all it has to say may close its side, and is answered all the same.
  (server as unknown as { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on(
    'checkExpectation',
    connections.fairly((_request, reply) => {
      respond(reply, problem('expectation_failed', 'Only "Expect: 100-continue" can be met.'));
    }),
  );
  server.on('connect', (_request, socket: Socket) => {
    connections.afterAnswers(socket, bareProblem(problem('method_not_allowed', 'This server is no proxy.')));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    // An answer to nothing would be taken for that of the request that is on the way. Node goes on reading if nothing is done.
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0) socket.setTimeout(KEEP_ALIVE_MS - HEADERS_TIMEOUT_MS);
    else connections.afterAnswers(socket, bareProblem(brokenHttp(error.code)));
  });
  return server;
}

/**
 * Gateways and browsers open connections before they need them. To Node those are in the middle of a request: they would hold up the end of
 * the server.
 */
function countSilentAsIdle(server: Server): void {
  const since = new Map<Socket, number>();
  server.on('connection', (socket: Socket) => {
    since.set(socket, performance.now());
    socket.once('close', () => since.delete(socket));
  });
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    closeIdle();
    const before = performance.now() - SILENT_MS;
    for (const [socket, at] of since) if (socket.bytesRead === 0 && at < before) socket.destroy();
  };
}

/** What cannot be parsed as HTTP at all gets its problem document over the bare socket. */
function brokenHttp(code: string | undefined): Problem {
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  return problem(codeOfStatus(status), 'This is not an HTTP request that can be understood.');
}

function respond(reply: ServerResponse, document: Problem): void {
  const body = JSON.stringify(document);
  reply
    .writeHead(document.status, { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' })
    .end(body);
}
