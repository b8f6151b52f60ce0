import { systemClock } from '../../../lib/clock.ts';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { AccessOptions } from '../../../admission/serve/access.ts';
import type { AcceptedMeans } from '../../../campaign/accepted-means.ts';
import { verifyCoupons } from '../../../campaign/verify-coupons.ts';
import type { Strategy } from '../../../campaign/strategy.ts';
import { baseline } from '../../baseline.ts';
import type { Context, RedisStores } from '../../context.ts';
import { throttledWarnings } from '../../output/throttled-warnings.ts';
import { admissionThatMeans, guardStores } from '../../guards.ts';
import { visible } from '../../../lib/text/visible.ts';
import type { RequestLog } from '../../../http/request-log.ts';
import { listen } from '../../listen.ts';
import { openWithRetry } from '../../open-with-retry.ts';
import { withRights } from '../../rights.ts';
import { packageVersion } from '../../version.ts';

/** How long requests in flight may take after the first signal. */
const FINISH_MS = 10_000;
/** A user who waits for an answer has gone after that. */
const LEDGER_TIMEOUT_MS = 5_000;

export interface EndpointOptions {
  strategy: Strategy;
  /** Whether refusals come from memory where they can. */
  remembers: boolean;
  /** What an answer survives. */
  means: AcceptedMeans;
  allowEviction: boolean;
  access: AccessOptions;
  /** Addresses of clients come from a proxy. */
  trustProxy: boolean;
  patienceMs: number;
  /** Before it listens. */
  warmUpMs: number;
  host: string;
  port: number;
  limits: { maxPending: number; maxInFlight: number; maxConnections: number };
  /** What `/metrics` shows, where it is not what this process counts. */
  metrics?: ((own: Registry) => () => Promise<string>) | undefined;
  /** Where `/metrics` is instead of at `port`; null: it is there. */
  metricsAt: { host: string; port: number } | null;
  log: RequestLog | null;
  /** Whether to warn of coupons that cannot be served yet. */
  tells: boolean;
  listening: (url: string, metricsUrl: string | null) => void;
}

/** Opens the stores, listens, and answers until `stop` is aborted. */
export async function runEndpoint(context: Context, options: EndpointOptions, stop: AbortSignal): Promise<void> {
  const {
    strategy,
    remembers,
    means,
    allowEviction,
    access,
    trustProxy,
    patienceMs,
    warmUpMs,
    host,
    port,
    limits,
    metrics,
    tells,
    listening,
    metricsAt,
  } = options;
  const database = await context.database(undefined, { statementTimeoutMs: LEDGER_TIMEOUT_MS });
  let opened: RedisStores | undefined;
  const stores = await openWithRetry(context, patienceMs, stop, async () => {
    const use = means === 'disk' ? 'serve' : 'serve --accepted-means';
    const { redis, ledger } = await withRights(context, { use, couponIds: [] }, async () => {
      opened ??= await context.redis(true);
      return { redis: opened, ledger: await context.ledgerOf(database), database };
    });
    return { redis, ledger, problems: await verifyCoupons({ ledger, verification: redis.coupons }, redis.keyStyle) };
  });
  if (!stores) return;
  const { redis, ledger, problems } = stores;
  if (tells) for (const problem of problems) context.out.warn(`${problem.message}; ${problem.fix}`);

  await guardStores(context, { redis, database }, { allowEviction, means, tells });

  const { buildServer, emptyMetricsServer } = await import('../../../admission/serve/server.ts');
  const onFault = throttledWarnings(context);
  const admission =
    strategy === 'atomic' ? await admissionThatMeans(means, redis) : await baseline(context, strategy, { redis, ledger, onFault });
  const health = { redis: redis.health, ledger: await context.ledgerHealth(database, 'use') };
  const refusals = strategy === 'atomic' && remembers ? { refusals: redis.refusals } : {};
  const ports = { admission, ...refusals, coupons: redis.coupons, claims: redis.claims, reader: redis.reader, ledger, health };
  const { keyStyle } = redis;
  const apart = metricsAt ? { ...metricsAt, ...(await emptyMetricsServer(onFault, access)) } : null;
  const app = await buildServer(ports, {
    version: packageVersion(),
    keyStyle,
    onFault,
    plain: strategy !== 'atomic',
    limits,
    access,
    trustProxy,
    log: options.log ?? undefined,
    metrics,
    metricsApp: apart?.app,
  });
  await warmedUp(context, warmUpMs, stop);
  if (!stop.aborted) {
    const url = await listen(app, { host, port, flags: { host: '--host', port: '--port' } });
    listening(url, apart ? await listenApart(app, await apart.complete(), apart) : null);
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  }
  await Promise.all([finish(context, app), apart?.app.close()]);
}

/** A sale goes on without it. */
async function warmedUp(context: Context, ms: number, stop: AbortSignal): Promise<void> {
  if (ms === 0) return;
  const { warmUp } = await import('../../../admission/serve/warm-up.ts');
  try {
    await warmUp(ms, stop);
  } catch (error) {
    context.out.warn(`the first requests will be slow, because the warm-up failed: ${visible((error as Error).message)}`);
  }
}

/** The endpoint does not stay behind when the other port cannot be had. */
async function listenApart(endpoint: FastifyInstance, app: FastifyInstance, at: { host: string; port: number }): Promise<string> {
  try {
    return await listen(app, { ...at, flags: { host: '--metrics-host', port: '--metrics-port' } });
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** No new connections; requests in flight are answered, those that take too long are cut off. */
async function finish(context: Context, app: FastifyInstance): Promise<void> {
  const closed = app.close().then(() => true);
  const deadline = new AbortController();
  const late = systemClock.sleep(FINISH_MS, deadline.signal).then(() => false);
  if (!(await Promise.race([closed, late]))) {
    context.out.warn(`requests were still open after ${FINISH_MS / 1_000} s and are cut off`);
    app.server.closeAllConnections();
    await closed;
  }
  deadline.abort();
  context.out.note('stopped');
}
