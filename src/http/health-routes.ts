import type { FastifyInstance } from 'fastify';
import type { Liveness } from '../campaign/readiness/liveness.ts';
import { isReady, LEDGER_CONDITIONS, REDIS_CONDITIONS, unreadyText, type Readiness } from '../campaign/readiness/readiness.ts';
import { sendProblem, problems } from './problem.ts';
import type { StoreMetrics } from './store-metrics.ts';

export interface HealthChecks {
  /** Left out where an answer is proof enough. */
  live?: () => Liveness;
  ready: () => Promise<Readiness>;
  metrics: Pick<StoreMetrics, 'registry'>;
  /** What is shown instead of what this process counts. */
  text?: (() => Promise<string>) | undefined;
}

const healthy = (description: string, status: string): object => ({
  description,
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', const: status } },
});

const words = (conditions: Readonly<Record<string, string>>): object => ({
  type: 'string',
  enum: Object.keys(conditions),
  description: Object.entries(conditions)
    .map(([word, meaning]) => `${word}: ${meaning}`)
    .join('; '),
});

const aliveSchema = { summary: 'The process answers', response: { 200: healthy('Alive', 'alive') } };
const movingSchema = {
  summary: 'The loop moves',
  response: {
    200: healthy('Alive', 'alive'),
    ...problems(['unavailable'], {
      quietSeconds: { type: 'number', description: 'Since the loop last moved' },
      limitSeconds: { type: 'number', description: 'How long it may be quiet' },
    }),
  },
};

const readyzSchema = {
  summary: 'Both stores can be used',
  response: {
    200: healthy('Ready', 'ready'),
    ...problems(['unavailable'], { redis: words(REDIS_CONDITIONS), ledger: words(LEDGER_CONDITIONS) }),
  },
};

const metricsSchema = {
  summary: 'Metrics for Prometheus',
  response: {
    200: { description: 'Text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } },
    ...problems(['unauthorized', 'unavailable']),
  },
};

/** `/livez`, `/readyz`, `/metrics`. */
export function healthRoutes(app: FastifyInstance, checks: HealthChecks): void {
  probeRoutes(app, checks);
  metricsRoute(app, checks);
}

export function probeRoutes(app: FastifyInstance, { live, ready }: Pick<HealthChecks, 'live' | 'ready'>): void {
  app.get('/livez', { schema: live ? movingSchema : aliveSchema }, async (_request, reply) => {
    const state = live?.();
    if (!state || state.alive) return { status: 'alive' };
    const [quietSeconds, limitSeconds] = [state.quietMs, state.limitMs].map((ms) => Math.round(ms / 100) / 10);
    const detail = `No pass has ended and no store has answered the loop for ${quietSeconds} s.`;
    return sendProblem(reply, 'unavailable', detail, { quietSeconds, limitSeconds });
  });

  app.get('/readyz', { schema: readyzSchema }, async (_request, reply) => {
    const state = await ready();
    if (isReady(state)) return { status: 'ready' };
    return sendProblem(reply, 'unavailable', unreadyText(state), { ...state });
  });
}

export function metricsRoute(
  app: FastifyInstance,
  { metrics: { registry }, text = () => registry.metrics() }: Pick<HealthChecks, 'metrics' | 'text'>,
): void {
  app.get('/metrics', { schema: metricsSchema, config: { access: 'metrics' } as object }, async (_request, reply) =>
    reply.type(registry.contentType).send(await text()),
  );
}
