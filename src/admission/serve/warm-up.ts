import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { AdmissionAnswer } from '../../campaign/admission.ts';
import { HTTP_STATUS } from '../../campaign/http-status.ts';
import type { Admission } from '../../campaign/ports/admission.ts';
import { emptyApp } from '../../http/app.ts';
import { Backlog } from '../backlog.ts';
import { AdmissionBatcher } from '../batcher.ts';
import { controlAccess } from './access.ts';
import { AdmissionMetrics } from './admission-metrics.ts';
import { askRoute } from './routes/requests.ts';

/** As many as make batches; more only share the same time. */
const CONNECTIONS = 50;
const ACCEPTED: AdmissionAnswer = { outcome: 'accepted', place: 'waiting', firstRequestUs: 1_764_000_000_000_000 };

/**
 * Sends requests to an endpoint of its own on loopback, which accepts everybody and has no stores, until the time is over or `stop` is
 * aborted: Node then has compiled what it runs for each request. Without it, the 99th percentile of the first second is several times
 * as long (`npm run perf -- --only fresh`).
 *
 * @returns how many requests were accepted
 * @throws Error when one was not
 */
export async function warmUp(ms: number, stop: AbortSignal): Promise<number> {
  const couponId = randomUUID();
  const app = await endpointWithoutStores(couponId);
  // Not shared with the other workers, as the port of `serve` is.
  await app.listen({ host: '127.0.0.1', port: 0, exclusive: true });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const target = { agent, host: '127.0.0.1', port, method: 'POST', path: `/coupons/${couponId}/requests` };
  const headers = { 'content-type': 'application/json' };
  const ends = performance.now() + ms;
  let accepted = 0;
  const ask = async (userId: string): Promise<void> => {
    const asked = request({ ...target, headers }).end(JSON.stringify({ userId }));
    const [reply] = (await once(asked, 'response')) as [IncomingMessage];
    await once(reply.resume(), 'end');
    if (reply.statusCode !== HTTP_STATUS.accepted) throw new Error(`a request of its own was answered with ${reply.statusCode}`);
    accepted += 1;
  };
  const user = async (_: unknown, index: number): Promise<void> => {
    for (let nth = 0; performance.now() < ends && !stop.aborted; nth += 1) await ask(`user-${index}-${nth}`);
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, user));
  } finally {
    agent.destroy();
    await app.close();
  }
  return accepted;
}

/** Accepts every request for this coupon, and answers 503 for any other: nobody else who finds the port is told that they were accepted. */
export async function endpointWithoutStores(couponId: string): Promise<FastifyInstance> {
  const { app, complete } = emptyApp({ onFault: () => undefined, whereTo: 'this endpoint only warms the process up' });
  await controlAccess(app, {});
  const backlog = new Backlog();
  const metrics = new AdmissionMetrics(new Registry(), backlog);
  const admission: Admission = {
    // An object for each request, as Redis gives them: one for all ends up in the compiled code, which the first real answer discards.
    admit: async (asked, requests) => requests.map(() => (asked === couponId ? { ...ACCEPTED } : { outcome: 'unavailable' })),
  };
  const batcher = new AdmissionBatcher(metrics.measured(admission));
  askRoute(app, { batcher, backlog, metrics, memory: null, directory: { has: async () => false }, identified: false });
  return await complete();
}
