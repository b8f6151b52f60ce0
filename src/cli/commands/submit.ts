import { plural } from '../../lib/text/figures.ts';
import { systemClock } from '../../lib/clock.ts';
import { requestIds } from '../../admission/request-ids.ts';
import { knownCoupon, verifyCoupon } from '../../campaign/known-coupon.ts';
import { sendWithRetry, submit, type Send } from '../../operate/submit.ts';
import { verifiedAdmission } from '../../admission/verified-admission.ts';
import { ADMISSION_BATCH } from '../../campaign/admission.ts';
import { parseAcceptedMeans, type AcceptedMeans } from '../../campaign/accepted-means.ts';
import { usageError } from '../../lib/errors.ts';
import { parseCouponId, parseUserId } from '../../campaign/ids.ts';
import { parseRate, parseShare, parseWhole } from '../../lib/numbers.ts';
import { submitPlan, type SubmitPlan } from '../../operate/submit-plan.ts';
import { parseTarget } from '../../bench/scenario/target.ts';
import { submitProgressText, submitText } from '../../operate/submit-text.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { admissionThatMeans } from '../guards.ts';
import { startProgress } from '../output/progress.ts';
import { openWithRights } from '../rights.ts';
import { requireAllowedHost, requireLocalStores } from '../targets.ts';
import type { Configure } from '../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli submit summer --users 10000                       10,000 users, straight to Redis
  coupon-cli submit summer --users 10000 --duplicates 0.5      and 5,000 of them ask twice
  coupon-cli submit summer --users 600 --rate 100/s --json
  coupon-cli submit summer --user minji                        one request
  coupon-cli submit summer --users 10000 --url http://127.0.0.1:8080

Refusals such as sold_out are expected answers (exit 0); unknown or unexpected ones are not (exit 1).`;

/** How long requests straight to Redis are repeated while it is away. */
const PATIENCE_MS = 30_000;
const MAX_USERS = 10_000_000;
const MAX_START = 1_000_000_000_000;

interface SubmitFlags {
  users?: string | undefined;
  user?: string | undefined;
  prefix: string;
  start: string;
  duplicates: string;
  concurrency: string;
  rate?: string | undefined;
  url?: string | undefined;
  allowTarget: string[];
  acceptedMeans: AcceptedMeans;
  insecure?: true | undefined;
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<id>', 'coupon id')
    .option('--users <n>', 'how many distinct users ask')
    .option('--user <id>', 'or this one user alone')
    .option('--prefix <text>', 'user ids are this and a number', 'user-')
    .option('--start <n>', 'the first number', '1')
    .option('--duplicates <share>', 'further requests by the same users, 0.5 = half as many again', '0')
    .option('--concurrency <n>', 'requests in flight', '64')
    .option('--rate <rate>', 'requests per second, such as 500/s; as fast as they are answered unless given')
    .option('--url <url>', 'send them to this endpoint instead of Redis')
    .option(
      '--allow-target <host>',
      'let it work on stores or an endpoint on this host (may be repeated)',
      (one: string, all: string[]) => [...all, one],
      [],
    )
    .option('--accepted-means <what>', 'without --url: what an answer survives, disk, replica or both', parseAcceptedMeans, 'disk' as const)
    .option('--insecure', 'take any certificate of an https endpoint')
    .addHelpText('after', EXAMPLES)
    .action(async (id, flags, self) => {
      await cli.run(self, async (context) => run(context, parseCouponId(id), flags));
    });
};

async function run(context: Context, couponId: string, flags: SubmitFlags): Promise<number> {
  const plan = toPlan(flags);
  const concurrency = parseWhole(flags.concurrency, '--concurrency', 1, 10_000);
  const rate = flags.rate === undefined ? null : parseRate(flags.rate, '--rate');
  const stop = context.stopSignal();
  const send =
    flags.url === undefined
      ? await toRedis(context, couponId, flags, stop)
      : await toEndpoint(context, couponId, parseTarget(flags.url), concurrency, flags);

  // Half of what may be in flight, so that the next batch is on its way while one is being answered.
  const batch = flags.url === undefined ? Math.min(ADMISSION_BATCH, Math.ceil(concurrency / 2)) : 1;
  const progress = await startProgress(context, `sending ${plural(plan.requests, 'request')}`);
  const started = systemClock.now();
  const { lost, ...result } = await submit(
    send,
    { plan, concurrency, batch, rate, newRequestId: requestIds() },
    systemClock,
    stop,
    (sent, outcomes) => progress.update(submitProgressText(sent, plan.requests, (systemClock.now() - started) / 1_000, outcomes)),
  );
  progress.stop();
  const summary = { couponId, ...result };
  context.out.done(summary, (paint) => submitText(summary, paint));
  if (lost) throw lost;
  if (result.outcomes.unsent > 0 && !stop.aborted) {
    context.out.warn(`${plural(result.outcomes.unsent, 'request')} never left this machine: no connection`);
    return EXIT.unreachable;
  }
  return result.outcomes.unknown + result.outcomes.unexpected > 0 ? EXIT.failure : EXIT.ok;
}

/** All ids are checked here, before a store is touched: the last one is the longest. */
function toPlan(flags: SubmitFlags): SubmitPlan {
  const duplicates = parseShare(flags.duplicates, '--duplicates', 100);
  if ((flags.user === undefined) === (flags.users === undefined)) {
    throw usageError(
      'SUBMIT_USAGE',
      'either --users or --user is needed',
      'Write `coupon-cli submit ID --users N`, or --user X for a single request.',
    );
  }
  if (flags.user !== undefined) {
    const user = parseUserId(flags.user);
    return submitPlan(1, duplicates, () => user);
  }
  const users = parseWhole(flags.users ?? '', '--users', 1, MAX_USERS);
  const start = parseWhole(flags.start, '--start', 0, MAX_START);
  parseUserId(`${flags.prefix}${start + users - 1}`);
  return submitPlan(users, duplicates, (index) => `${flags.prefix}${start + index}`);
}

/** @throws CouponError `TARGET_REFUSED`, `COUPON_UNKNOWN`, `COUPON_NOT_IN_REDIS`, `COUPON_SUSPECT`, and unreachable stores */
async function toRedis(context: Context, couponId: string, flags: SubmitFlags, stop: AbortSignal): Promise<Send> {
  requireLocalStores(context, flags.allowTarget, 'submit');
  const { acceptedMeans: means } = flags;
  const use = means === 'disk' ? 'submit' : 'submit --accepted-means';
  const { redis, ledger } = await openWithRights(context, { use, couponIds: [couponId], reconnect: true });
  await verifyCoupon({ verification: redis.coupons, ledger }, await knownCoupon(ledger, couponId, redis.keyStyle));
  const admission = verifiedAdmission({
    admission: await admissionThatMeans(means, redis),
    verification: redis.coupons,
    ledger,
    clock: systemClock,
  });
  return sendWithRetry((requests) => admission.admit(couponId, requests), { clock: systemClock, stop, patienceMs: PATIENCE_MS });
}

async function toEndpoint(context: Context, couponId: string, target: string, connections: number, flags: SubmitFlags): Promise<Send> {
  requireAllowedHost(target, flags.allowTarget, 'submit');
  const { endpointClient } = await import('../../operate/endpoint-client.ts');
  if (flags.insecure && target.startsWith('https:')) context.out.warn('the certificate of the target is not checked (--insecure)');
  const client = endpointClient({ target, couponId, connections, insecure: flags.insecure === true });
  context.onClose(() => client.close());
  await client.probe();
  return client.send;
}
