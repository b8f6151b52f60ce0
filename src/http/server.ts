import { setTimeout as delay } from 'node:timers/promises';
import { fastify, type FastifyInstance } from 'fastify';
import swagger from '@fastify/swagger';
import { AdmissionBatcher } from '../app/admission-batcher.ts';
import { CouponDirectory } from '../app/coupon-directory.ts';
import type { Admission, ClaimQueue, Ledger, RedisReader, UsePort, Verification } from '../app/ports.ts';
import { verifiedAdmission } from '../app/verified-admission.ts';
import { answerBrokenHttp, answerError, answerUnknownRoutes, type OnFault } from './errors.ts';
import { Metrics } from './metrics.ts';
import { couponRoutes } from './routes/coupons.ts';
import { healthRoutes } from './routes/health.ts';
import { requestRoutes } from './routes/requests.ts';
import { useRoutes } from './routes/use.ts';

export interface HttpPorts {
  /** As the store gives it; verification and batching are added here. */
  admission: Admission;
  coupons: Verification & UsePort;
  claims: Pick<ClaimQueue, 'ack'>;
  reader: Pick<RedisReader, 'coupon' | 'user' | 'now'>;
  ledger: Pick<Ledger, 'coupon' | 'coupons' | 'issuedSince' | 'rows' | 'use'>;
}

export interface HttpOptions {
  /** Of this program, for the OpenAPI document. */
  version: string;
  /** Hears of every store error and of everything unforeseen; clients are told neither. */
  onFault: OnFault;
  /**
   * Each request goes to `admission` by itself, once, and as it is. For the baselines: they have neither batches nor request ids
   * that would make a second try harmless.
   */
  plain?: boolean;
}

/** A user id of 128 characters, each percent-encoded, and some more, so that too long an id is told as such. */
const MAX_PARAM_CHARS = 512;
const BODY_LIMIT_BYTES = 16 * 1024;
/** For a request to arrive as a whole: nobody may keep a connection busy by dripping bytes. */
const REQUEST_TIMEOUT_MS = 30_000;
const HANG_UP_EVERY_MS = 50;

/** The HTTP endpoint of DESIGN §7, ready to listen. */
export async function buildServer(ports: HttpPorts, options: HttpOptions): Promise<FastifyInstance> {
  const answer = answerError(options.onFault);
  const app = fastify({
    // A line for each request costs more than the admission itself; metrics say how many there were.
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Who is still connected while we close gets an answer and `Connection: close`, not a 503.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    // Nothing is turned into another type or dropped: what does not fit is refused.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true } },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: (error, request, reply) => void answer(error, request, reply),
  });
  app.setErrorHandler(answer);
  acceptJsonOnly(app);
  app.addHook('preClose', async () => hangUpWhenDone(app));

  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    routes.set(url, methods);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'coupon-cli',
        version: options.version,
        description: 'First-come-first-served coupons. Errors are RFC 9457 problem documents.',
      },
    },
  });

  const directory = new CouponDirectory(ports.ledger, () => performance.now());
  const metrics = new Metrics({ reader: ports.reader, directory });
  const batcher = options.plain
    ? new AdmissionBatcher(metrics.measured(ports.admission), 1)
    : new AdmissionBatcher(metrics.measured(verified(ports)));
  requestRoutes(app, { ...ports, directory, batcher, metrics });
  couponRoutes(app, { reader: ports.reader, directory });
  useRoutes(app, { ledger: ports.ledger, hashes: ports.coupons, claims: ports.claims });
  healthRoutes(app, { reader: ports.reader, directory, metrics });
  answerUnknownRoutes(app, routes);
  await app.ready();
  return app;
}

function verified({ admission, coupons, ledger }: HttpPorts): Admission {
  const pause = async (ms: number): Promise<void> => delay(ms);
  return verifiedAdmission({ admission, verification: coupons, ledger, now: () => performance.now(), pause });
}

/**
 * Node closes the connections that are idle when the server closes, but keeps those open whose answer was still under way then:
 * they would hold the server up until their client, or the keep-alive timeout, ends them.
 */
function hangUpWhenDone(app: FastifyInstance): void {
  if (!app.server.listening) return;
  const timer = setInterval(() => app.server.closeIdleConnections(), HANG_UP_EVERY_MS);
  app.server.once('close', () => clearInterval(timer));
}

/** JSON only; an empty body is no body, whatever its type says (clients set the type for every POST). */
function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parse(request, body as string, done);
  });
}
