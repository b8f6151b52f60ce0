import { createHash, timingSafeEqual } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../../http/problem.ts';
import type { Identity } from './identity.ts';

/** Who may use a route: the user whom it is about, an operator, or, where that is wished, an operator alone for metrics. */
export type Access = 'user' | 'operator' | 'metrics';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** By a verified token; null: the request says itself who asks. */
    identity: string | null;
  }
}

export interface AccessOptions {
  /** Left out: whoever asks is believed, as behind a proxy that has checked. */
  identity?: (authorization: string | undefined) => Promise<Identity>;
  /** For operator routes; left out: they are open. */
  operatorToken?: string;
  protectMetrics?: boolean;
  /** Requests in so many milliseconds. */
  perUser?: Limit;
  perAddress?: Limit;
}

export interface Limit {
  max: number;
  windowMs: number;
}

/** To be called before the routes stand: plugins and hooks hold for those that come after. */
export async function controlAccess(app: FastifyInstance, options: AccessOptions): Promise<void> {
  const { identity, operatorToken, protectMetrics = false, perUser, perAddress } = options;
  app.decorateRequest('identity', null);
  const isFor = (request: FastifyRequest, access: Access): boolean => request.routeOptions.config.access === access;

  if (perUser || perAddress) await limitRates(app, perUser, perAddress, (request) => isFor(request, 'user'));
  if (identity) {
    app.addHook('onRequest', async (request, reply) => {
      if (!isFor(request, 'user')) return undefined;
      const found = await identity(request.headers.authorization);
      if ('userId' in found) {
        request.identity = found.userId;
        return undefined;
      }
      if (found.refused === 'unauthorized') void reply.header('WWW-Authenticate', 'Bearer');
      return sendProblem(reply, found.refused, found.why);
    });
    app.addHook('preHandler', async (request, reply) => {
      if (!isFor(request, 'user') || request.identity === null) return undefined;
      const named = namedUser(request) ?? request.identity;
      return named === request.identity ? undefined : sendProblem(reply, 'forbidden', 'The token is of another user.');
    });
  }
  if (operatorToken !== undefined) {
    const expected = digest(operatorToken);
    app.addHook('onRequest', async (request, reply) => {
      if (!isFor(request, 'operator') && !(protectMetrics && isFor(request, 'metrics'))) return undefined;
      const given = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      // Digests have one length, and are compared in a time that says nothing.
      if (given !== undefined && timingSafeEqual(digest(given), expected)) return undefined;
      void reply.header('WWW-Authenticate', 'Bearer');
      return sendProblem(reply, 'unauthorized', 'The token of an operator is needed.');
    });
  }
}

async function limitRates(
  app: FastifyInstance,
  perUser: Limit | undefined,
  perAddress: Limit | undefined,
  applies: (request: FastifyRequest) => boolean,
): Promise<void> {
  await app.register(rateLimit, { global: false });
  const check = ({ max, windowMs }: Limit, keyGenerator: (request: FastifyRequest) => string) => {
    const limiter = app.createRateLimit({ max, timeWindow: windowMs, keyGenerator });
    return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      if (!applies(request)) return undefined;
      const state = await limiter(request);
      if (state.isAllowed) return undefined;
      void reply.headers({ 'RateLimit-Limit': max, 'RateLimit-Remaining': state.remaining, 'RateLimit-Reset': state.ttlInSeconds });
      if (!state.isExceeded) return undefined;
      void reply.header('Retry-After', state.ttlInSeconds);
      return sendProblem(reply, 'rate_limited', 'Too many requests; the coupon was not asked for.');
    };
  };
  if (perAddress)
    app.addHook(
      'onRequest',
      check(perAddress, (request) => request.ip),
    );
  if (perUser)
    app.addHook(
      'preHandler',
      check(perUser, (request) => request.identity ?? namedUser(request) ?? request.ip),
    );
}

/** The user whom the body or the path names. */
function namedUser({ body, params }: FastifyRequest): string | null {
  const { userId } = { ...(params as object), ...(body as object | null) } as { userId?: string | number };
  return userId === undefined ? null : String(userId);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
