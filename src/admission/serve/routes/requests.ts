import { endOfTurn } from '../../../lib/end-of-turn.ts';
import { isReplyLost } from '../../../lib/errors.ts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Backlog } from '../../backlog.ts';
import type { AdmissionBatcher } from '../../batcher.ts';
import type { CouponDirectory } from '../../coupon-directory.ts';
import type { RefusalMemory } from '../../refusal-memory.ts';
import { requestStatuses, type StatusPorts } from '../../status.ts';
import type { AdmissionAnswer } from '../../../campaign/admission.ts';
import { requestIds } from '../../request-ids.ts';
import { HTTP_STATUS } from '../../../campaign/http-status.ts';
import type { AdmissionMetrics } from '../admission-metrics.ts';
import { sendProblem, problems } from '../../../http/problem.ts';
import {
  couponIdSchema,
  couponParams,
  idempotencyHeaders,
  nullableTimeSchema,
  placeSchema,
  timeSchema,
  userIdOrNumberSchema,
  userIdSchema,
  userParams,
} from '../schemas.ts';

export interface AskPorts {
  directory: Pick<CouponDirectory, 'has'>;
  batcher: Pick<AdmissionBatcher, 'admit'>;
  /** Null: every request goes to Redis. */
  memory: Pick<RefusalMemory, 'refusalOf'> | null;
  backlog: Backlog;
  metrics: Pick<AdmissionMetrics, 'admission' | 'fromMemory'>;
  /** Whether a token says who asks, so that the body need not. */
  identified: boolean;
}

export type RequestPorts = AskPorts & Omit<StatusPorts, 'now'>;

const askSchema = {
  summary: 'Ask for a coupon',
  description: 'At most one request per user and coupon counts. A repeat under the same Idempotency-Key gets the same answer again.',
  params: couponParams,
  headers: idempotencyHeaders('Id of the request, chosen by the client; a repeat with the same key is the same request'),
  body: { type: 'object', required: ['userId'], properties: { userId: userIdOrNumberSchema } },
  response: {
    [HTTP_STATUS.accepted]: {
      description: 'Accepted; the coupon will be issued in order of request time',
      type: 'object',
      required: ['couponId', 'userId', 'outcome', 'state', 'requestedAt'],
      properties: {
        couponId: couponIdSchema,
        userId: userIdSchema,
        outcome: { type: 'string', const: 'accepted' },
        state: placeSchema,
        requestedAt: nullableTimeSchema,
      },
    },
    ...problems(
      [
        'duplicate',
        'sold_out',
        'not_open',
        'not_yet_open',
        'closed',
        'unknown_coupon',
        'invalid_request',
        'unauthorized',
        'forbidden',
        'rate_limited',
        'unavailable',
        'unknown',
        'payload_too_large',
        'unsupported_media_type',
      ],
      { state: placeSchema, requestedAt: timeSchema, opensAt: timeSchema, closedAt: timeSchema },
    ),
  },
};

const statusSchema = {
  summary: 'Where a request stands',
  params: userParams,
  response: {
    200: {
      description: 'The request was accepted at some time',
      type: 'object',
      required: ['couponId', 'userId', 'state', 'requestedAt', 'position', 'estimatedWaitSeconds'],
      properties: {
        couponId: couponIdSchema,
        userId: userIdSchema,
        state: placeSchema,
        requestedAt: nullableTimeSchema,
        position: {
          type: ['integer', 'null'],
          minimum: 1,
          description: 'Place in the queue; 1 is the next to be issued; null unless waiting',
        },
        estimatedWaitSeconds: {
          type: ['integer', 'null'],
          description: 'At the pace of the last minute; null when nothing was issued in it, or the user does not wait',
        },
        issuedAt: { type: ['string', 'null'] },
        expiresAt: { type: ['string', 'null'] },
        usedAt: { type: ['string', 'null'] },
        revokedAt: { type: ['string', 'null'] },
      },
    },
    ...problems(['not_requested', 'unknown_coupon', 'invalid_request', 'unauthorized', 'forbidden', 'rate_limited', 'unavailable']),
  },
};

/** Details that do not depend on the request, made once: refusals are most of the answers in a rush. */
const DETAILS = {
  sold_out: 'All coupons have been accepted by others.',
  not_open: 'The coupon does not take requests now.',
  not_yet_open: 'The coupon does not take requests yet.',
  closed: 'The coupon takes no more requests.',
  unknown_coupon: 'There is no such coupon.',
  unavailable: 'The coupon cannot be served at this moment; the same request may be sent again.',
};

/** The route of a sale: whatever one of its requests costs is paid by every user. */
export function askRoute(app: FastifyInstance, { batcher, memory, backlog, metrics, directory, identified }: AskPorts): void {
  const newRequestId = requestIds();

  app.post<{ Params: { couponId: string }; Body: { userId: string | number }; Headers: { 'idempotency-key'?: string } }>(
    '/coupons/:couponId/requests',
    { schema: identified ? { ...askSchema, body: { ...askSchema.body, required: [] } } : askSchema, config: { access: 'user' } },
    async (request, reply) => {
      const { couponId } = request.params;
      const userId = request.identity ?? String(request.body.userId);
      const refusal = memory?.refusalOf(couponId, userId);
      if (refusal) {
        await endOfTurn();
        metrics.fromMemory(couponId, refusal.outcome);
        return sendAnswer(reply, couponId, userId, refusal);
      }
      const asked = { userId, requestId: request.headers['idempotency-key'] ?? newRequestId() };
      let answer: AdmissionAnswer;
      try {
        answer = await backlog.run(() => batcher.admit(couponId, asked));
        // Redis may have lost what the ledger still has; "there is no such coupon" would then be a lie.
        if (answer.outcome === 'unknown_coupon' && (await directory.has(couponId))) answer = { outcome: 'unavailable' };
      } catch (error) {
        metrics.admission(couponId, isReplyLost(error) ? 'unknown' : 'unavailable');
        throw error;
      }
      metrics.admission(couponId, answer.outcome);
      return sendAnswer(reply, couponId, userId, answer);
    },
  );
}

export function requestRoutes(app: FastifyInstance, ports: RequestPorts): void {
  askRoute(app, ports);
  const { backlog } = ports;
  const statusOf = requestStatuses({ ...ports, now: () => Date.now() });
  app.get<{ Params: { couponId: string; userId: string } }>(
    '/coupons/:couponId/requests/:userId',
    { schema: statusSchema, config: { access: 'user' } },
    async (request, reply) => {
      const answer = await backlog.run(() => statusOf(request.params.couponId, request.params.userId));
      if (answer.status === 'found') return { ...answer.request, requestedAt: answer.request.requestedAt?.toISOString() ?? null };
      return sendProblem(
        reply,
        answer.status,
        answer.status === 'not_requested' ? 'This user never asked for this coupon.' : DETAILS[answer.status],
      );
    },
  );
}

function sendAnswer(reply: FastifyReply, couponId: string, userId: string, answer: AdmissionAnswer): FastifyReply {
  const { outcome, place: state } = answer;
  const requestedAt = answer.firstRequestUs === undefined ? undefined : new Date(answer.firstRequestUs / 1_000).toISOString();
  if (outcome === 'accepted')
    return reply.code(HTTP_STATUS.accepted).send({ couponId, userId, outcome, state, requestedAt: requestedAt ?? null });
  if (outcome === 'duplicate') return sendProblem(reply, outcome, 'This user has already asked for this coupon.', { state, requestedAt });
  const { atMs } = answer;
  if (atMs === undefined) return sendProblem(reply, outcome, DETAILS[outcome]);
  const at = new Date(atMs).toISOString();
  if (outcome === 'closed') return sendProblem(reply, outcome, DETAILS[outcome], { closedAt: at });
  void reply.header('Retry-After', Math.max(1, Math.ceil((atMs - Date.now()) / 1_000)));
  return sendProblem(reply, outcome, DETAILS[outcome], { opensAt: at });
}
