import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { verifyCoupons } from '../../app/verify-coupons.ts';
import { CouponError } from '../../core/errors.ts';
import { parseWhole } from '../../core/numbers.ts';
import { parseStrategy, type Strategy } from '../../core/strategy.ts';
import { baseline } from '../baseline.ts';
import type { Context } from '../context.ts';
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
/** The same fault is told once in this time, however many requests meet it. */
const TELL_EVERY_MS = 5_000;

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
    .addHelpText('after', EXAMPLES)
    .action(async (flags, self) => {
      await cli.run(self, (context) => serve(context, flags.strategy));
    });
};

async function serve(context: Context, strategy: Strategy): Promise<void> {
  if (strategy !== 'atomic') requireLoopbackStores(context, strategy);
  const host = context.settings.get('host').value;
  const port = parseWhole(context.settings.get('port').value, '--port', 0, 65_535);
  const stop = context.stopSignal();
  const redis = await context.redis(true);
  const ledger = await context.ledger(undefined, { timeoutMs: LEDGER_TIMEOUT_MS });
  const { problems } = await verifyCoupons({ ledger, verification: redis.coupons }, context.keyStyle);
  for (const problem of problems) context.out.warn(`${problem.message}; ${problem.fix}`);

  const { buildServer } = await import('../../http/server.ts');
  const onFault = teller(context);
  const admission = strategy === 'atomic' ? redis.admission : await baseline(context, strategy, { redis, ledger, onFault });
  const ports = { admission, coupons: redis.coupons, claims: redis.claims, reader: redis.reader, ledger };
  const app = await buildServer(ports, { version: packageVersion(), onFault, plain: strategy !== 'atomic' });
  const url = await listen(app, host, port);
  context.out.item({ event: 'listening', url }, () => `listening on ${url}`);
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  await finish(context, app);
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, host, port);
  }
  const { port: bound } = app.server.address() as { port: number };
  // "Every address" is nothing that a client can connect to.
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${bound}`;
}

function listenError(error: unknown, host: string, port: number): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    return new CouponError({
      code: 'PORT_TAKEN',
      kind: 'usage',
      message: `port ${port} on ${host} cannot be used`,
      why: code === 'EACCES' ? 'ports below 1024 need more rights on this system' : 'another process listens there',
      fix: 'Choose another one with --port, or --port 0 for any that is free.',
    });
  }
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code)) {
    return new CouponError({
      code: 'BAD_HOST',
      kind: 'usage',
      message: `"${host}" is not an address of this machine`,
      why: message,
      fix: 'Use --host 127.0.0.1 for this machine alone, or --host 0.0.0.0 for everybody who can reach it.',
    });
  }
  return error;
}

/** Tells the operator of faults that requests met, each kind once in a while. */
function teller(context: Context): (error: unknown) => void {
  const told = new Map<string, number>();
  return (error) => {
    const text =
      error instanceof CouponError ? `${error.message} [${error.code}]` : `unforeseen: ${(error as Error)?.stack ?? String(error)}`;
    const now = performance.now();
    if (now - (told.get(text) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    // Texts could differ without end; what was told long ago need not be kept.
    if (told.size >= 100) told.clear();
    told.set(text, now);
    context.out.warn(text);
  };
}

/** No new connections; requests in flight are answered, those that take too long are cut off. */
async function finish(context: Context, app: FastifyInstance): Promise<void> {
  const closed = app.close().then(() => true);
  const deadline = new AbortController();
  const late = delay(FINISH_MS, false, { signal: deadline.signal }).catch(() => false);
  if (!(await Promise.race([closed, late]))) {
    context.out.warn(`requests were still open after ${FINISH_MS / 1_000} s and are cut off`);
    app.server.closeAllConnections();
    await closed;
  }
  deadline.abort();
  context.out.note('stopped');
}
