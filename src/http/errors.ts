import { printable } from '../lib/text/visible.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CouponError, isReplyLost } from '../lib/errors.ts';
import { userIdProblem } from '../campaign/ids.ts';
import { codeOfStatus, sendProblem } from './problem.ts';

export type OnFault = (error: unknown, requestId?: string) => void;

/**
 * Turns whatever went wrong into a problem document. A store's error never reaches a client: it names hosts and reasons that
 * are internal; the operator is told through `onFault`.
 */
export function answerError(onFault: OnFault): (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    if (error instanceof CouponError) {
      onFault(error, request.id);
      // Not `unavailable`, which promises that nothing happened.
      if (isReplyLost(error)) return sendProblem(reply, 'unknown', LOST);
      return sendProblem(reply, 'unavailable', 'The coupon cannot be served at this moment; the same request may be sent again.');
    }
    const { statusCode = 500, message = '' } = (error ?? {}) as { statusCode?: number; message?: string };
    const code = codeOfStatus(statusCode);
    if (code !== 'internal_error') return sendProblem(reply, code, printable(refusedUserId(error, request) ?? message, 200));
    onFault(error, request.id);
    return sendProblem(reply, code, 'An unforeseen error; whether the request took effect is unknown.');
  };
}

/** Why the user id of a request was refused, in words where the validator has a pattern; null: something else was. */
function refusedUserId(error: unknown, { params, body }: FastifyRequest): string | null {
  const { validation } = (error ?? {}) as { validation?: { keyword: string; instancePath: string }[] };
  const keywords = (validation ?? []).filter(({ instancePath }) => instancePath === '/userId').map(({ keyword }) => keyword);
  if (keywords.some((keyword) => keyword === 'minimum' || keyword === 'maximum'))
    return 'userId is a number beyond 2^53, which JSON readers round: send it as text';
  if (keywords.includes('type')) return 'userId must be a text or a whole number';
  if (!keywords.includes('pattern')) return null;
  const { userId } = { ...(params as object), ...(body as object | null) } as { userId?: unknown };
  const why = typeof userId === 'string' ? userIdProblem(userId) : null;
  return why === null ? null : `userId ${why}`;
}

const LOST = 'Whether the request was accepted is unknown: send it again under the same Idempotency-Key, or ask where it stands.';

const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/**
 * Answers 405 where a path exists but not with that method, and 404 everywhere else. Fastify knows only 404, so the missing
 * methods of each path become routes of their own, once all others stand.
 */
export function answerUnknownRoutes(app: FastifyInstance, routes: ReadonlyMap<string, ReadonlySet<string>>, whereTo: string): void {
  for (const [url, methods] of routes) {
    const allow = [...methods].toSorted().join(', ');
    app.route({
      url,
      method: METHODS.filter((method) => !methods.has(method)),
      schema: { hide: true },
      // Before the body is read: it could only lead to another complaint.
      onRequest: async (request, reply) => {
        void reply.header('Allow', allow);
        return sendProblem(reply, 'method_not_allowed', `${request.method} is not possible here; ${allow} is.`);
      },
      handler: async () => undefined,
    });
  }
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'not_found', `There is nothing at this path; ${whereTo}.`));
}
