import { fastify, type FastifyInstance } from 'fastify';
import { answerError, answerUnknownRoutes, type OnFault } from './errors.ts';
import { nodeServer } from './node-server.ts';
import { answerOddHttp } from './odd-http.ts';
import { logRequests, requestIdOf, type RequestLog } from './request-log.ts';

/** A user id of 128 characters, each percent-encoded, and some more, so that too long an id is told as such. */
const MAX_PARAM_CHARS = 512;
const BODY_LIMIT_BYTES = 16 * 1024;
const HANG_UP_EVERY_MS = 50;

export interface AppOptions {
  /** Called with every store error and every unforeseen error; clients see neither. */
  onFault: OnFault;
  /** Added to a 404: where the routes are listed. */
  whereTo: string;
  /** Addresses of clients come from X-Forwarded-For, which a proxy in front must set. */
  trustProxy?: boolean;
  /** Left out: as many as `MAX_CONNECTIONS`. */
  maxConnections?: number | undefined;
  /** Gets a line for each request. A line costs more than the admission itself; metrics say how many there were. */
  log?: RequestLog | undefined;
}

/**
 * A server without routes yet, which answers with a problem document whatever goes wrong. `complete` is for when all routes
 * stand: it adds the answers for everything else.
 */
export function emptyApp({ onFault, whereTo, trustProxy = false, maxConnections, log }: AppOptions): {
  app: FastifyInstance;
  complete(this: void): Promise<FastifyInstance>;
} {
  const answer = answerError(onFault);
  const app = fastify({
    logger: false,
    ...(log ? { genReqId: requestIdOf } : {}),
    trustProxy,
    bodyLimit: BODY_LIMIT_BYTES,
    serverFactory: (listener) => nodeServer(listener, maxConnections),
    // A client that is still connected while we close gets an answer and `Connection: close`, not a 503.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    // Nothing is turned into another type or dropped: what does not fit is refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true } },
    // The server answers what cannot be parsed.
    clientErrorHandler: () => undefined,
    frameworkErrors: (error, request, reply) => void answer(error, request, reply),
  });
  app.setErrorHandler(answer);
  if (log) logRequests(app, log);
  answerOddHttp(app);
  acceptJsonOnly(app);
  app.addHook('preClose', async () => hangUpWhenDone(app));

  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    routes.set(url, methods);
  });
  return {
    app,
    async complete() {
      answerUnknownRoutes(app, routes, whereTo);
      await app.ready();
      return app;
    },
  };
}

/**
 * Node closes the connections that are idle when the server closes, but keeps those open whose answer was still under way then:
 * they would hold the server up until their client, or the keep-alive timeout, ends them.
 */
function hangUpWhenDone(app: FastifyInstance): void {
  if (!app.server.listening) return;
  const timer = setInterval(() => app.server.closeIdleConnections(), HANG_UP_EVERY_MS);
  app.server.once('close', () => clearInterval(timer));
}

/** JSON only; an empty body is no body, whatever its type says (clients set the type for every POST). */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parse(request, body as string, done);
  });
}
