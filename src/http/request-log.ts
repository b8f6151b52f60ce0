import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { printable } from '../lib/text/visible.ts';

export interface RequestLine {
  requestId: string;
  method: string;
  /** As it is declared, such as `/coupons/:couponId`; null: there is none. The path itself may name a user. */
  route: string | null;
  coupon?: string;
  /** As the log names users. */
  user?: string;
  status: number;
  ms: number;
  /** By a fault of ours or of a store. */
  failed: boolean;
}

export interface RequestLog {
  nameOf: (userId: string) => string;
  request(line: RequestLine): void;
}

/** Ids that a proxy may give: what they are written into must stay a line, and short. */
const SANE = /^[\w.:-]{1,128}$/;

/** The id of a request: what the client says in `X-Request-Id`, if that can be one. */
export function requestIdOf({ headers }: { headers: Record<string, string | string[] | undefined> }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID();
}

/** A line for each request, and its id in the answer. To be called before the routes stand. */
export function logRequests(app: FastifyInstance, log: RequestLog): void {
  app.addHook('onRequest', async (request, reply) => void reply.header('X-Request-Id', request.id));
  app.addHook('onResponse', async (request, reply) => {
    const { couponId, userId } = named(request);
    log.request({
      requestId: request.id,
      method: request.method,
      route: request.is404 ? null : (request.routeOptions.url ?? null),
      ...(couponId === undefined ? {} : { coupon: printable(couponId, 64) }),
      ...(userId === undefined ? {} : { user: log.nameOf(userId) }),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      failed: reply.statusCode >= 500,
    });
  });
}

function named(request: FastifyRequest): { couponId?: string; userId?: string } {
  const { couponId, userId } = { ...(request.params as object), ...(request.body as object | null) } as Record<string, unknown>;
  const user = (request as { identity?: string | null }).identity ?? userId;
  return {
    ...(typeof couponId === 'string' ? { couponId } : {}),
    ...(typeof user === 'string' || typeof user === 'number' ? { userId: String(user) } : {}),
  };
}
