import type { Backlog } from '../../backlog.ts';
import type { FastifyInstance } from 'fastify';
import { availability, type AvailabilityPorts } from '../../availability.ts';
import { SALE_STATES } from '../../../campaign/sale-state.ts';
import { sendProblem, problems } from '../../../http/problem.ts';
import { couponIdSchema, couponParams, nullableTimeSchema } from '../schemas.ts';

const schema = {
  summary: 'What is left of a coupon',
  params: couponParams,
  response: {
    200: {
      description: 'The coupon as it stands',
      type: 'object',
      required: ['couponId', 'name', 'state', 'accepting', 'total', 'stock', 'waiting', 'claimed', 'opensAt', 'closesAt'],
      properties: {
        couponId: couponIdSchema,
        name: { type: 'string' },
        state: {
          type: 'string',
          description: `one of ${SALE_STATES.join(', ')}; unreadable_time: a time of it cannot be read, and no requests are taken`,
        },
        accepting: { type: 'boolean', description: 'A new user who asked now would be accepted' },
        total: { type: ['integer', 'null'], description: 'How many may ever be issued' },
        stock: { type: ['integer', 'null'], description: 'How many are left' },
        waiting: { type: 'integer', description: 'Accepted users in the queue' },
        claimed: { type: 'integer', description: 'Accepted users who are being issued' },
        opensAt: nullableTimeSchema,
        closesAt: nullableTimeSchema,
        unreadable: {
          type: 'array',
          items: { type: 'string', enum: ['opensAt', 'closesAt'] },
          description: 'Times that another program wrote as a text that is no time; no requests are taken until they are mended',
        },
      },
    },
    ...problems(['unknown_coupon', 'invalid_request', 'unavailable']),
  },
};

export function couponRoutes(app: FastifyInstance, ports: AvailabilityPorts & { backlog: Backlog }): void {
  app.get<{ Params: { couponId: string } }>('/coupons/:couponId', { schema }, async (request, reply) => {
    const answer = await ports.backlog.run(() => availability(ports, request.params.couponId));
    if (answer.status === 'found') return answer.coupon;
    const detail = answer.status === 'unavailable' ? 'The coupon cannot be served at this moment.' : 'There is no such coupon.';
    return sendProblem(reply, answer.status, detail);
  });
}
