import type { Acknowledgement } from '../../campaign/ports/acknowledgement.ts';
import type { LedgerReader } from '../../campaign/ports/ledger.ts';
import { systemClock } from '../../lib/clock.ts';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { Backlog } from '../backlog.ts';
import { AdmissionBatcher } from '../batcher.ts';
import type { Refusals } from '../ports.ts';
import { RefusalMemory } from '../refusal-memory.ts';
import { CouponDirectory } from '../coupon-directory.ts';
import type { Admission } from '../../campaign/ports/admission.ts';
import type { RedisReader } from '../../campaign/ports/redis-reader.ts';
import type { UseHashes, UseLedger } from '../../campaign/ports/use.ts';
import type { Verification } from '../../campaign/ports/verification.ts';
import type { LedgerHealth, RedisHealth } from '../../campaign/ports/health.ts';
import { readiness } from '../../campaign/readiness/check-readiness.ts';
import { verifiedAdmission } from '../verified-admission.ts';
import { controlAccess, type AccessOptions } from './access.ts';
import { describeRoutes } from './openapi.ts';
import { AdmissionMetrics } from './admission-metrics.ts';
import { emptyApp } from '../../http/app.ts';
import type { OnFault } from '../../http/errors.ts';
import type { RequestLog } from '../../http/request-log.ts';
import { couponRoutes } from './routes/coupons.ts';
import { metricsRoute, probeRoutes } from '../../http/health-routes.ts';
import { requestRoutes } from './routes/requests.ts';
import { useRoutes } from './routes/use.ts';
import { StoreMetrics } from '../../http/store-metrics.ts';

export interface HttpPorts {
  /** As the store gives it; verification and batching are added here. */
  admission: Admission;
  /** Left out: no request is refused from memory. */
  refusals?: Refusals;
  coupons: Verification & UseHashes;
  claims: Acknowledgement;
  reader: Pick<RedisReader, 'coupon' | 'queueTimes' | 'user' | 'now'>;
  ledger: LedgerReader & UseLedger;
  health: { redis: RedisHealth; ledger: LedgerHealth };
}

export interface HttpOptions {
  /** Of this program, for the OpenAPI document. */
  version: string;
  keyStyle: string;
  /** Called with every store error and every unforeseen error; clients see neither. */
  onFault: OnFault;
  /**
   * Each request goes to `admission` by itself, once, and as it is. For the baselines: they have neither batches nor request ids
   * that would make a second try harmless.
   */
  plain?: boolean;
  limits?: Limits;
  access?: AccessOptions;
  trustProxy?: boolean;
  log?: RequestLog | undefined;
  /** What `/metrics` shows instead of what this process counts. */
  metrics?: ((own: Registry) => () => Promise<string>) | undefined;
  /** Has `/metrics` instead of the endpoint, which then knows no such route. */
  metricsApp?: FastifyInstance | undefined;
}

/** A server for `/metrics` alone, which {@link buildServer} puts there. Listens after `complete`. */
export async function emptyMetricsServer(
  onFault: OnFault,
  { operatorToken, protectMetrics }: AccessOptions,
): Promise<ReturnType<typeof emptyApp>> {
  const server = emptyApp({ onFault, whereTo: '/metrics is here' });
  await controlAccess(server.app, operatorToken === undefined || !protectMetrics ? {} : { operatorToken, protectMetrics });
  return server;
}

/** What one process takes on; the defaults are those of {@link Backlog} and {@link AdmissionBatcher}. */
export interface Limits {
  /** Requests without an answer. */
  maxPending?: number | undefined;
  /** Requests that are sent to Redis and have no answer. */
  maxInFlight?: number | undefined;
  /** Open at a time. */
  maxConnections?: number | undefined;
}

/** The HTTP endpoint, ready to listen. */
export async function buildServer(ports: HttpPorts, options: HttpOptions): Promise<FastifyInstance> {
  const { app, complete } = emptyApp({
    onFault: options.onFault,
    whereTo: 'GET /openapi.json lists the routes',
    trustProxy: options.trustProxy ?? false,
    maxConnections: options.limits?.maxConnections,
    log: options.log,
  });
  await controlAccess(app, options.access ?? {});
  await describeRoutes(app, options.version);

  const directory = new CouponDirectory(ports.ledger, () => performance.now());
  const stores = new StoreMetrics({
    reader: ports.reader,
    redisHealth: ports.health.redis,
    coupons: directory.all,
    keyStyle: options.keyStyle,
  });
  const { limits = {}, onFault } = options;
  const backlog = new Backlog(limits.maxPending);
  const metrics = new AdmissionMetrics(stores.registry, backlog);
  const memory = ports.refusals ? new RefusalMemory(ports.refusals, { now: () => performance.now(), onFault }) : null;
  const admission = metrics.measured(options.plain ? ports.admission : verified(ports));
  const batcher = options.plain
    ? oneByOne(admission)
    : new AdmissionBatcher(memory?.learningFrom(admission) ?? admission, limits.maxInFlight);
  const identified = options.access?.identity !== undefined;
  requestRoutes(app, { ...ports, directory, batcher, memory, backlog, metrics, identified });
  couponRoutes(app, { reader: ports.reader, directory, backlog });
  useRoutes(app, { ledger: ports.ledger, hashes: ports.coupons, claims: ports.claims, keyStyle: options.keyStyle, backlog });
  probeRoutes(app, { ready: readiness(ports.health, () => performance.now()) });
  metricsRoute(options.metricsApp ?? app, { metrics: stores, text: options.metrics?.(stores.registry) });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  return complete();
}

function verified({ admission, coupons, ledger }: HttpPorts): Admission {
  return verifiedAdmission({ admission, verification: coupons, ledger, clock: systemClock });
}

function oneByOne(admission: Admission): Pick<AdmissionBatcher, 'admit'> {
  return { admit: async (couponId, request) => (await admission.admit(couponId, [request]))[0]! };
}
