import type { FastifyInstance } from 'fastify';
import type { CouponDirectory } from '../../app/coupon-directory.ts';
import type { RedisReader } from '../../app/ports.ts';
import type { Metrics } from '../metrics.ts';
import { sendProblem } from '../problem.ts';
import { problems } from '../schemas.ts';

export interface HealthPorts {
  reader: Pick<RedisReader, 'now'>;
  directory: CouponDirectory;
  metrics: Pick<Metrics, 'text' | 'registry'>;
}

const healthy = (description: string, status: string): object => ({
  description,
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', const: status } },
});

const livezSchema = { summary: 'The process answers', response: { 200: healthy('Alive', 'alive') } };

const storeSchema = { type: 'string', enum: ['up', 'down'] };
const readyzSchema = {
  summary: 'Both stores can be used',
  response: { 200: healthy('Ready', 'ready'), ...problems(['unavailable'], { redis: storeSchema, ledger: storeSchema }) },
};

const metricsSchema = {
  summary: 'Metrics for Prometheus',
  response: { 200: { description: 'Text exposition format', content: { 'text/plain': { schema: { type: 'string' } } } } },
};

/** `/livez`, `/readyz`, `/metrics`, `/openapi.json`. */
export function healthRoutes(app: FastifyInstance, { reader, directory, metrics }: HealthPorts): void {
  app.get('/livez', { schema: livezSchema }, async () => ({ status: 'alive' }));

  app.get('/readyz', { schema: readyzSchema }, async (_request, reply) => {
    const [redis, ledger] = await Promise.all([isUp(reader.now()), isUp(directory.all())]);
    if (redis && ledger) return { status: 'ready' };
    const word = (up: boolean): string => (up ? 'up' : 'down');
    return sendProblem(reply, 'unavailable', 'A store cannot be used.', { redis: word(redis), ledger: word(ledger) });
  });

  app.get('/metrics', { schema: metricsSchema }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.text()),
  );

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

async function isUp(question: Promise<unknown>): Promise<boolean> {
  return question.then(
    () => true,
    () => false,
  );
}
