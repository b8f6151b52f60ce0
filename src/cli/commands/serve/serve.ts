import cluster from 'node:cluster';
import { MAX_PENDING } from '../../../admission/backlog.ts';
import { MAX_IN_FLIGHT } from '../../../admission/batcher.ts';
import { parseAcceptedMeans } from '../../../campaign/accepted-means.ts';
import { parseStrategy } from '../../../campaign/strategy.ts';
import { MAX_CONNECTIONS } from '../../../http/connections.ts';
import { parseDurationUpTo } from '../../../lib/duration.ts';
import { usageError } from '../../../lib/errors.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import type { Configure } from '../../command.ts';
import type { Context } from '../../context.ts';
import { ALLOW_EVICTION, ALLOW_EVICTION_ABOUT } from '../../guards.ts';
import { urlOf } from '../../listen.ts';
import { LOG_FORMAT_ABOUT, LOG_USERS_ABOUT, openLog, parseLogFormat } from '../../log/log.ts';
import { parsePatience, WAIT_FOR_STORES } from '../../open-with-retry.ts';
import type { SettingName } from '../../settings.ts';
import { requireLoopbackStores } from '../../targets.ts';
import { systemdSupervisor } from '../drain/systemd.ts';
import { accessOf } from './access-flags.ts';
import { runEndpoint, type EndpointOptions } from './endpoint.ts';

const EXAMPLES = `
Examples:
  coupon-cli serve
  coupon-cli serve --host 0.0.0.0 --port 80 --jwt-jwks-url https://login.example/jwks.json --jwt-audience shop
  coupon-cli serve --host 0.0.0.0 --trust-the-proxy    behind a proxy that has checked who asks
  coupon-cli serve --port 0 --json            a free port; stdout says which
  coupon-cli serve --workers 4                four processes on one port
  coupon-cli serve --strategy rdb-lock        the way before Redis, to measure against
  curl -X POST http://127.0.0.1:8080/coupons/summer/requests \\
    -H 'content-type: application/json' -d '{"userId": "user-1"}'

GET /openapi.json describes the routes. The first SIGINT or SIGTERM finishes the requests in flight; the second ends at once.`;

export const configure: Configure = (command, cli) => {
  command
    .option('--host <host>', 'address to listen on (COUPON_HOST, default 127.0.0.1)')
    .option('--port <n>', 'port to listen on, 0 = a free one (COUPON_PORT, default 8080)')
    .option(
      '--strategy <name>',
      'how requests are decided: atomic; for comparison only: three-calls (over-promises), rdb-lock (slow)',
      parseStrategy,
      'atomic' as const,
    )
    .option('--max-pending <n>', `requests that may wait for an answer; more get 503 (COUPON_MAX_PENDING, default ${MAX_PENDING})`)
    .option('--max-in-flight <n>', `requests under way to Redis (COUPON_MAX_IN_FLIGHT, default ${MAX_IN_FLIGHT})`)
    .option(
      '--max-connections <n>',
      `connections that may be open; more are hung up on (COUPON_MAX_CONNECTIONS, default ${MAX_CONNECTIONS})`,
    )
    .option('--workers <n>', 'processes that share the port; limits and connections are those of each', '1')
    .option('--no-sold-out-cache', 'ask Redis for every request, also for a coupon that is sold out or not open')
    .option('--jwt-jwks-url <url>', 'users are those of bearer tokens (JWT), whose keys are there')
    .option('--jwt-secret-file <file>', 'or that are signed with this secret')
    .option('--jwt-issuer <text>', 'issuer that a token must name')
    .option('--jwt-audience <text>', 'audience that a token must name')
    .option('--jwt-user-claim <name>', 'claim that names the user', 'sub')
    .option('--operator-token-file <file>', 'only bearers of this token may use coupons (POST …/use)')
    .option('--protect-metrics', 'and read /metrics')
    .option('--metrics-port <n>', 'a port for /metrics alone, which is then no longer at --port; 0 = a free one')
    .option('--metrics-host <host>', 'address of that port', '127.0.0.1')
    .option('--rate-limit-user <limit>', 'requests of one user that this process takes, such as 5/s; more get 429')
    .option('--rate-limit-address <limit>', 'requests of one address, such as 100/s')
    .option('--trust-proxy', 'addresses of clients are those of X-Forwarded-For, which a proxy in front sets')
    .option('--trust-the-proxy', 'a proxy in front has checked who asks; needed on other addresses than loopback without tokens')
    .option('--log-format <format>', LOG_FORMAT_ABOUT, parseLogFormat)
    .option('--log-users', LOG_USERS_ABOUT)
    .option(
      '--accepted-means <what>',
      'what an answer survives: disk, replica (one has it too) or both',
      parseAcceptedMeans,
      'disk' as const,
    )
    .option(ALLOW_EVICTION, ALLOW_EVICTION_ABOUT)
    .option(
      '--warm-up <duration>',
      'answer requests of its own for so long before it listens, so that the first users do not wait for Node to compile; 0s = not at all',
      '1s',
    )
    .option(WAIT_FOR_STORES, 'at the start, try so long for stores that are away before ending with 3', '0s')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, async (context) => {
        const { strategy, soldOutCache: remembers } = flags;
        if (strategy !== 'atomic') requireLoopbackStores(context, strategy);
        const workers = parseWhole(flags.workers, '--workers', 1, MAX_WORKERS);
        const options = {
          log: await openLog(context, 'serve', flags),
          strategy,
          remembers,
          means: flags.acceptedMeans,
          allowEviction: flags.allowEviction === true,
          access: await accessOf(context, flags, context.settings.get('host').value),
          trustProxy: flags.trustProxy === true,
          patienceMs: parsePatience(flags.waitForStores),
          warmUpMs: parseDurationUpTo(MAX_WARM_UP_MS, flags.warmUp, '--warm-up'),
          host: context.settings.get('host').value,
          port: setting(context, 'port', 0, 65_535),
          metricsAt: metricsAt(flags, workers),
          limits: {
            maxPending: setting(context, 'maxPending', 1, MOST),
            maxInFlight: setting(context, 'maxInFlight', 1, MOST),
            maxConnections: setting(context, 'maxConnections', 1, MOST),
          },
        };
        if (cluster.isWorker) return await serveAsWorker(context, options);
        if (workers === 1) return await serveAlone(context, options);
        const { keepWorkers } = await import('./workers.ts');
        return await keepWorkers(context, workers, (port) => urlOf(options.host, port));
      });
    });
};

/** @throws CouponError `BAD_NUMBER`, `SERVE_USAGE` */
function metricsAt({ metricsPort, metricsHost: host }: { metricsPort?: string | undefined; metricsHost: string }, workers: number) {
  if (metricsPort === undefined) return null;
  const port = parseWhole(metricsPort, '--metrics-port', 0, 65_535);
  if (port === 0 && workers > 1)
    throw usageError('SERVE_USAGE', '--metrics-port 0 and --workers exclude each other', 'Name a port: nothing would say which one it is.');
  return { host, port };
}

const MAX_WARM_UP_MS = 60_000;
const MAX_WORKERS = 128;
const MOST = 1_000_000;

function setting({ settings }: Context, name: SettingName, least: number, most: number): number {
  return parseWhole(settings.get(name).value, settings.label(name), least, most);
}

type Options = Omit<EndpointOptions, 'listening' | 'metrics' | 'tells'>;

async function serveAlone(context: Context, options: Options): Promise<void> {
  const stop = context.stopSignal();
  const supervisor = systemdSupervisor(context, stop);
  const listening = (url: string, metricsUrl: string | null): void => {
    const metrics = metricsUrl === null ? {} : { metricsUrl };
    context.out.item(
      { event: 'listening', url, ...metrics },
      () => `listening on ${url}${metricsUrl === null ? '' : `, metrics on ${metricsUrl}`}`,
    );
    supervisor.ready();
  };
  await runEndpoint(context, { ...options, tells: true, listening }, stop);
}

/** What is known at the start is told by the first worker alone; `keepWorkers` says where they listen. */
async function serveAsWorker(context: Context, options: Options): Promise<void> {
  const [{ sharedMetrics }, { workerStop }] = await Promise.all([import('./shared-metrics.ts'), import('./workers.ts')]);
  const tells = cluster.worker?.id === 1;
  await runEndpoint(context, { ...options, tells, metrics: sharedMetrics, listening: () => undefined }, workerStop(context));
}
