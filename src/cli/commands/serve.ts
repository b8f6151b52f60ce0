import { systemClock } from '../../lib/clock.ts';
import type { FastifyInstance } from 'fastify';
import { MAX_PENDING } from '../../admission/backlog.ts';
import { MAX_IN_FLIGHT } from '../../admission/batcher.ts';
import { verifyCoupons } from '../../campaign/verify-coupons.ts';
import { parseWhole } from '../../lib/numbers.ts';
import { parseStrategy, type Strategy } from '../../campaign/strategy.ts';
import { baseline } from '../baseline.ts';
import type { Context, RedisStores } from '../context.ts';
import { throttledWarnings } from '../throttled-warnings.ts';
import { listen } from '../listen.ts';
import { openWithRetry, parsePatience, WAIT_FOR_STORES } from '../open-with-retry.ts';
import { systemdSupervisor } from './drain/systemd.ts';
import { requireLoopbackStores } from '../targets.ts';
import { packageVersion } from '../version.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli serve
  coupon-cli serve --host 0.0.0.0 --port 80
  coupon-cli serve --port 0 --json            a free port; stdout says which
  coupon-cli serve --strategy rdb-lock        the way before Redis, to measure against
  curl -X POST http://127.0.0.1:8080/coupons/summer/requests \\
    -H 'content-type: application/json' -d '{"userId": "user-1"}'

GET /openapi.json describes the routes. The first SIGINT or SIGTERM finishes the requests in flight; the second ends at once.`;

/** How long requests in flight may take after the first signal. */
const FINISH_MS = 10_000;
/** A user who waits for an answer has gone after that. */
const LEDGER_TIMEOUT_MS = 5_000;

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
    .option('--no-sold-out-cache', 'ask Redis for every request, also for a coupon that is sold out or not open')
    .option(WAIT_FOR_STORES, 'at the start, try so long for stores that are away before ending with 3', '0s')
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, (context) => serve(context, flags.strategy, flags.soldOutCache, parsePatience(flags.waitForStores)));
    });
};

async function serve(context: Context, strategy: Strategy, remembers: boolean, patienceMs: number): Promise<void> {
  if (strategy !== 'atomic') requireLoopbackStores(context, strategy);
  const host = context.settings.get('host').value;
  const port = parseWhole(context.settings.get('port').value, context.settings.label('port'), 0, 65_535);
  const limits = { maxPending: limit(context, 'maxPending'), maxInFlight: limit(context, 'maxInFlight') };
  const stop = context.stopSignal();
  const supervisor = systemdSupervisor(context, stop);
  const database = await context.database(undefined, { statementTimeoutMs: LEDGER_TIMEOUT_MS });
  let opened: RedisStores | undefined;
  const stores = await openWithRetry(context, patienceMs, stop, async () => {
    const redis = (opened ??= await context.redis(true));
    const ledger = await context.ledgerOf(database);
    return { redis, ledger, problems: await verifyCoupons({ ledger, verification: redis.coupons }, context.keyStyle) };
  });
  if (!stores) return;
  const { redis, ledger, problems } = stores;
  for (const problem of problems) context.out.warn(`${problem.message}; ${problem.fix}`);

  const { buildServer } = await import('../../admission/serve/server.ts');
  const onFault = throttledWarnings(context);
  const admission = strategy === 'atomic' ? redis.admission : await baseline(context, strategy, { redis, ledger, onFault });
  const health = { redis: redis.health, ledger: await context.ledgerHealth(database) };
  const refusals = strategy === 'atomic' && remembers ? { refusals: redis.refusals } : {};
  const ports = { admission, ...refusals, coupons: redis.coupons, claims: redis.claims, reader: redis.reader, ledger, health };
  const options = { version: packageVersion(), keyStyle: context.keyStyle, onFault, plain: strategy !== 'atomic', limits };
  const app = await buildServer(ports, options);
  const url = await listen(app, { host, port, flags: { host: '--host', port: '--port' } });
  context.out.item({ event: 'listening', url }, () => `listening on ${url}`);
  supervisor.ready();
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  await finish(context, app);
}

function limit({ settings }: Context, name: 'maxPending' | 'maxInFlight'): number {
  return parseWhole(settings.get(name).value, settings.label(name), 1, 1_000_000);
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
