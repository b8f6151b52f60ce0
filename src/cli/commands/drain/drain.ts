import type { Ledger } from '../../../stores/postgres/ledger.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { CouponPass } from '../../../drain/coupon-pass.ts';
import { drainLoop, type DrainEvents, type DrainTotals, type DrainSettings } from '../../../drain/loop.ts';
import { knownCoupon } from '../../../campaign/known-coupon.ts';
import { paceText, perSecond } from '../../../drain/pace.ts';
import { ledgerLimitMs } from '../../../campaign/readiness/liveness.ts';
import { parseDuration } from '../../../lib/duration.ts';
import { usageError } from '../../../lib/errors.ts';
import { parseCouponId } from '../../../campaign/ids.ts';
import { parseWhole } from '../../../lib/numbers.ts';
import { isCouponFault } from '../../../campaign/wrong-type.ts';
import { heldText, refusedText, skippedText, totalsText } from '../../../drain/text.ts';
import { failureText } from '../../failure.ts';
import type { Database } from '../../../stores/postgres/connection/database.ts';
import type { Context, RedisStores } from '../../context.ts';
import { ALLOW_EVICTION, ALLOW_EVICTION_ABOUT, claimsThatMean, guardStores } from '../../guards.ts';
import { startDrainHealth, type DrainHealth, type DrainStores } from './health.ts';
import { LOG_FORMAT_ABOUT, LOG_USERS_ABOUT, openLog, parseLogFormat, type Log, type LogFlags } from '../../log/log.ts';
import { withNames } from '../../log/users.ts';
import { openWithRetry, parsePatience, WAIT_FOR_STORES } from '../../open-with-retry.ts';
import { withRights } from '../../rights.ts';
import { parseAcceptedMeans, type AcceptedMeans } from '../../../campaign/accepted-means.ts';
import { systemdSupervisor } from './systemd.ts';
import { narrate, type Narrator } from './narrate.ts';
import type { Configure } from '../../command.ts';

const EXAMPLES = `
Examples:
  coupon-cli drain --interval 2s                 in operation, until a signal
  coupon-cli drain summer --eager --batch 1000   one coupon, as fast as the stores take it
  coupon-cli drain --until-empty --eager --json  in CI: ends when no user waits
  coupon-cli drain --once --batch 100            a single pass
  coupon-cli drain --health-port 9090            also answers probes and Prometheus:
    curl http://127.0.0.1:9090/livez             200 while the loop moves
    curl http://127.0.0.1:9090/readyz            200 while both stores can be written
    curl http://127.0.0.1:9090/metrics           queue by coupon, age of the oldest waiting user, time per batch

The first SIGINT or SIGTERM finishes the batch and ends with 0; the second ends at once.`;

/** How long `--once` and `--until-empty` wait for stores that are away, unless told otherwise. */
const PATIENCE = '30s';
/** A backlog that takes longer than this at the present pace is worth a remark. */
const LONG_BACKLOG_S = 60;

export const configure: Configure = (command, cli) => {
  command
    .argument('[id...]', 'coupons to drain; all of them when none is named')
    .option('--interval <duration>', 'time between two passes (COUPON_INTERVAL, default 2s)')
    .option('--batch <n>', 'users per coupon and pass, 1–1000 (COUPON_BATCH, default 100)')
    .option('--lease <duration>', 'how long a claim is kept before others may take it (COUPON_LEASE, default 30s)')
    .option('--eager', 'go on at once while users wait; of several such workers, one at a time serves a coupon')
    .option('--once', 'end after one pass')
    .option('--until-empty', 'end when no user waits or is claimed')
    .option(
      WAIT_FOR_STORES,
      `end with 3 when a store is away for so long (with --once and --until-empty default ${PATIENCE}, else for ever)`,
    )
    .option('--verbose', 'a line for every pass, instead of one every few seconds')
    .option(
      '--accepted-means <what>',
      'as serve has it: with replica or both, users are issued once a replica knows that they are claimed',
      parseAcceptedMeans,
      'disk' as const,
    )
    .option('--log-format <format>', LOG_FORMAT_ABOUT, parseLogFormat)
    .option('--log-users', LOG_USERS_ABOUT)
    .option(ALLOW_EVICTION, ALLOW_EVICTION_ABOUT)
    .option('--scan', 'also name queues in Redis that no coupon of the ledger stands behind')
    .option('--health-port <n>', 'serve health and metrics on this port, 0 = a free one (COUPON_HEALTH_PORT, default off)')
    .option('--health-host <host>', 'address to listen on for that (COUPON_HEALTH_HOST, default 127.0.0.1)')
    .addHelpText('after', EXAMPLES)
    .action(async (ids, flags, self) => {
      await cli.run(self, async (context) => {
        if (flags.once && flags.untilEmpty)
          throw usageError('DRAIN_USAGE', '--once and --until-empty exclude each other', 'Give one of them.');
        const options = readOptions(context, ids.map(parseCouponId), flags);
        await run(context, options, flags);
      });
    });
};

interface DrainFlags extends LogFlags {
  eager?: true | undefined;
  once?: true | undefined;
  untilEmpty?: true | undefined;
  scan?: true | undefined;
  verbose?: true | undefined;
  waitForStores?: string | undefined;
  allowEviction?: true | undefined;
  acceptedMeans: AcceptedMeans;
}

function readOptions(context: Context, couponIds: readonly string[], flags: DrainFlags): DrainSettings {
  const value = (name: 'interval' | 'batch' | 'lease'): string => context.settings.get(name).value;
  const label = (name: 'interval' | 'batch' | 'lease'): string => context.settings.label(name);
  const leaseMs = parseDuration(value('lease'), label('lease'));
  if (leaseMs < 1_000)
    throw usageError('BAD_DURATION', `${label('lease')}: "${value('lease')}" is too short to issue a batch in`, 'Use at least 1s.');
  const until = flags.once ? 'once' : flags.untilEmpty ? 'empty' : 'stopped';
  const patience = flags.waitForStores ?? (until === 'stopped' ? undefined : PATIENCE);
  return {
    couponIds,
    batch: parseWhole(value('batch'), label('batch'), 1, 1_000),
    leaseMs,
    intervalMs: parseDuration(value('interval'), label('interval')),
    worker: `${context.env.hostname.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 40)}-${context.env.pid}`,
    scan: flags.scan === true,
    eager: flags.eager === true,
    until,
    patienceMs: patience === undefined ? Number.POSITIVE_INFINITY : parsePatience(patience),
  };
}

async function run(context: Context, options: DrainSettings, flags: DrainFlags): Promise<void> {
  const log = await openLog(context, 'drain', flags);
  const stop = context.stopSignal();
  const supervisor = systemdSupervisor(context, stop);
  // As for a batch: a worker that hangs holds up no other worker's users for longer.
  const database = await context.database(undefined, { statementTimeoutMs: Math.ceil(ledgerLimitMs(options.leaseMs)) });
  const stores: DrainStores = {};
  const health = await startDrainHealth(context, options, database, stores);
  const opened = await openWithRetry(context, options.patienceMs, stop, async () => {
    const rights = { use: useOf(context, options, flags), couponIds: options.couponIds };
    const { redis, ledger } = await withRights(context, rights, async () => await openStores(context, database, stores));
    await guardStores(context, { redis, database }, { allowEviction: flags.allowEviction === true, tells: true });
    for (const id of options.couponIds) await knownCoupon(ledger, id, redis.keyStyle);
    await announce(context, options, redis, ledger);
    return { claims: await claimsThatMean(flags.acceptedMeans, redis), coupons: redis.coupons, ledger, keyStyle: redis.keyStyle };
  });
  if (!opened) return;

  const ports = health?.observed(opened) ?? opened;
  supervisor.ready();
  const narrator = await narrate(context, options, flags.verbose === true);
  let totals: DrainTotals;
  try {
    totals = await drainLoop(
      ports,
      { ...options, keyStyle: opened.keyStyle },
      events(context, options, { health, narrator, log }),
      systemClock,
      stop,
    );
  } finally {
    narrator.end();
  }
  report(context, options, totals);
}

/** As `grants` knows it. */
function useOf({ settings }: Context, { scan }: DrainSettings, { acceptedMeans }: DrainFlags): string {
  const options = [
    ['--scan', scan],
    ['--accepted-means', acceptedMeans !== 'disk'],
    ['--health-port', settings.get('healthPort').value !== 'off'],
  ] as const;
  return ['drain', ...options.flatMap(([name, used]) => (used ? [name] : []))].join(' ');
}

/** Opens what is not open yet, both at a time, and keeps what was opened when the other one is away. */
async function openStores(
  context: Context,
  database: Database,
  stores: DrainStores,
): Promise<Required<DrainStores> & { database: Database }> {
  const openRedis = async (): Promise<RedisStores> => (stores.redis ??= await context.redis(true));
  const openLedger = async (): Promise<Ledger> => (stores.ledger ??= await context.ledgerOf(database));
  const [redis, ledger] = await Promise.allSettled([openRedis(), openLedger()]);
  if (redis.status === 'rejected') throw redis.reason;
  if (ledger.status === 'rejected') throw ledger.reason;
  return { redis: redis.value, ledger: ledger.value, database };
}

/** Says what the pace means before anybody wonders. */
async function announce(context: Context, options: DrainSettings, redis: RedisStores, ledger: Ledger): Promise<void> {
  // The pace is per coupon, so the longest queue decides how long it takes.
  let waiting = 0;
  for (const coupon of await ledger.coupons()) {
    if (options.couponIds.length > 0 && !options.couponIds.includes(coupon.id)) continue;
    try {
      waiting = Math.max(waiting, (await redis.claims.backlog(coupon.id)).waiting);
    } catch (error) {
      // The first pass says what is wrong with this coupon.
      if (!isCouponFault(error)) throw error;
    }
  }
  if (options.until !== 'once') context.out.note(`draining: ${paceText(options, waiting)}`);
}

function events(
  context: Context,
  options: DrainSettings,
  { health, narrator, log }: { health: DrainHealth | null; narrator: Narrator; log: Log | null },
): DrainEvents {
  const skipped = new Map<string, string>();
  const held = new Set<string>();
  let remarked = false;
  return {
    pass(passes) {
      health?.passed(passes);
      narrator.passed(passes);
      narrator.aside(() => {
        for (const pass of passes) {
          tellSkipped(context, options, skipped, pass);
          // Once: workers that share a trickle of users take turns all the time.
          if (pass.heldBy !== undefined && !held.has(pass.couponId)) {
            held.add(pass.couponId);
            context.out.note(heldText(pass));
          }
          for (const line of refusedText(log ? withNames(pass, log.nameOf) : pass)) context.out.warn(line);
        }
        const longest = Math.max(0, ...passes.map((pass) => pass.waiting));
        const long = longest > perSecond(options) * LONG_BACKLOG_S;
        if (long && !remarked) context.out.note(paceText(options, longest));
        remarked = long;
      });
    },
    outage(error) {
      const text = failureText(error, context.out.notePaint, false).replace(/^.*?error:\S* /, '');
      narrator.aside(() => context.out.warn(`a store is away, trying again: ${text}`));
    },
    recovered() {
      narrator.aside(() => context.out.note('the stores are back'));
    },
  };
}

/** A coupon that cannot be drained is named once, and again when its reason changes or it comes back. */
function tellSkipped(context: Context, options: DrainSettings, told: Map<string, string>, pass: CouponPass): void {
  const text = pass.skipped && pass.skipped !== 'epoch' ? skippedText(pass) : '';
  if ((told.get(pass.couponId) ?? '') === text) return;
  told.set(pass.couponId, text);
  if (text && context.out.json && options.until === 'stopped') context.out.item({ event: 'skipped', ...pass }, () => text);
  if (text) context.out.warn(text);
  else context.out.note(`coupon ${pass.couponId} is being drained again`);
}

function report(context: Context, options: DrainSettings, totals: DrainTotals): void {
  if (options.until === 'stopped') {
    if (context.out.json || !context.out.quiet) context.out.item({ event: 'stopped', ...totals }, () => totalsText(totals));
    return;
  }
  context.out.done(totals, () => totalsText(totals));
}
