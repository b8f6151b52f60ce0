import type { Backlog } from '../../backlog.ts';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { useCoupon, type UsePorts } from '../../../operate/use.ts';
import { sendProblem, problems } from '../../../http/problem.ts';
import { couponIdSchema, idempotencyHeaders, timeSchema, userIdSchema, userParams } from '../schemas.ts';

const schema = {
  summary: 'Use an issued coupon, once',
  params: userParams,
  headers: idempotencyHeaders('Id of the use; the same key again gets the same answer instead of "already used"'),
  response: {
    200: {
      description: 'The coupon is used',
      type: 'object',
      required: ['couponId', 'userId', 'usedAt', 'repeated'],
      properties: {
        couponId: couponIdSchema,
        userId: userIdSchema,
        usedAt: timeSchema,
        repeated: { type: 'boolean', description: 'It was used before, under this same key' },
      },
    },
    ...problems(
      [
        'not_issued',
        'already_used',
        'expired',
        'revoked',
        'invalid_request',
        'unauthorized',
        'forbidden',
        'unavailable',
        'unknown',
        'payload_too_large',
        'unsupported_media_type',
      ],
      {
        usedAt: timeSchema,
        expiresAt: timeSchema,
        revokedAt: timeSchema,
      },
    ),
  },
};

export function useRoutes(app: FastifyInstance, ports: UsePorts & { backlog: Backlog }): void {
  app.post<{ Params: { couponId: string; userId: string }; Headers: { 'idempotency-key'?: string } }>(
    '/coupons/:couponId/issued/:userId/use',
    { schema, config: { access: 'operator' } },
    async (request, reply) => {
      const { couponId, userId } = request.params;
      const useId = request.headers['idempotency-key'] ?? randomUUID();
      const answer = await ports.backlog.run(() => useCoupon(ports, couponId, userId, useId));
      switch (answer.status) {
        case 'used':
          return { couponId, userId, usedAt: answer.usedAt.toISOString(), repeated: answer.repeated };
        case 'already_used':
          return sendProblem(reply, 'already_used', 'The coupon was used before.', { usedAt: answer.usedAt.toISOString() });
        case 'expired':
          return sendProblem(reply, 'expired', 'The coupon can no longer be used.', { expiresAt: answer.expiresAt.toISOString() });
        case 'revoked':
          return sendProblem(reply, 'revoked', 'The coupon was taken back.', { revokedAt: answer.revokedAt.toISOString() });
        case 'other_key_style':
          return sendProblem(reply, 'unavailable', 'The coupon cannot be served here.');
        default:
          return sendProblem(reply, 'not_issued', 'No such coupon was issued to this user.');
      }
    },
  );
}
