import type { Clock } from '../lib/clock.ts';
import { durationFlag } from '../lib/duration.ts';
import { CouponError, gaveUp, isOutage } from '../lib/errors.ts';
import { retry } from '../lib/retry.ts';
import { WRONG_TYPE_FIX } from '../campaign/wrong-type.ts';
import { couponRest } from './coupon-rest.ts';
import { couponSuspect } from '../campaign/known-coupon.ts';
import type { CouponPass } from './coupon-pass.ts';
import { HOLD_MS } from './lanes.ts';
import { isEmpty } from './is-empty.ts';
import { drainPass } from './pass.ts';
import type { DrainOptions, DrainPorts } from './ports.ts';

export interface LoopOptions extends DrainOptions {
  intervalMs: number;
  /** Go on at once while there is a backlog. */
  eager: boolean;
  until: 'stopped' | 'once' | 'empty';
  /** How long stores may be away before the loop gives up; Infinity: it never does. */
  patienceMs: number;
}

/** Without what only Redis itself says. */
export type DrainSettings = Omit<LoopOptions, 'keyStyle'>;

export interface DrainTotals {
  issued: number;
  reclaimed: number;
  dead: number;
  passes: number;
  seconds: number;
}

/** What the loop tells while it runs. */
export interface DrainEvents {
  pass(passes: readonly CouponPass[]): void;
  /** Called once when stores go away, and once when they are back. */
  outage(error: unknown): void;
  recovered(): void;
}

const LONGEST_BACKOFF_MS = 5_000;
/** With `eager` a pass goes on with a backlog for so long before it looks at the coupons again. */
const SLICE_MS = 1_000;

/**
 * Passes until there is a reason to end. A pass under way is always finished: that is how the first signal ends without
 * leaving claims behind.
 *
 * @throws CouponError whatever a pass threw, when it is no outage or patience has run out; at the end of `once` and `empty`, when a
 *   coupon could not be drained: `COUPON_SUSPECT`, `KEY_WRONG_TYPE`, `REDIS_REFUSED`, `LEDGER_REFUSES` or `LEDGER_BUSY`
 */
export async function drainLoop(
  ports: DrainPorts,
  options: LoopOptions,
  events: DrainEvents,
  clock: Clock,
  stop: AbortSignal,
): Promise<DrainTotals> {
  const totals: DrainTotals = { issued: 0, reclaimed: 0, dead: 0, passes: 0, seconds: 0 };
  const started = clock.now();
  const rest = couponRest(options.intervalMs, () => clock.now());
  const isContinuous = options.eager && options.until !== 'once';
  let busySince: number | null = null;

  const work = async (): Promise<{ passes: CouponPass[]; empty: boolean }> => {
    const passes = await drainPass(ports, { ...options, sliceMs: isContinuous ? SLICE_MS : 0 }, stop, rest.of);
    return { passes, empty: options.until === 'empty' && (await isEmpty(ports, passes)) };
  };

  while (!stop.aborted) {
    const next = await throughOutages(work, options.patienceMs, events, clock, stop);
    if (!next) break;
    const { passes, empty } = next;
    totals.passes += 1;
    for (const pass of passes) {
      totals.issued += pass.issued;
      totals.reclaimed += pass.reclaimed;
      totals.dead += pass.dead;
      rest.learn(pass);
    }
    events.pass(passes);
    const busy = passes.find((pass) => pass.skipped === 'busy' || pass.skipped === 'node_down');
    busySince = busy ? (busySince ?? clock.now()) : null;
    if (options.until !== 'stopped' && busy && clock.now() - busySince! >= options.patienceMs) throw stillBusy(busy);
    if ((options.until === 'once' && !busy) || empty) {
      const broken = passes.find((pass) => pass.skipped === 'suspect' || pass.skipped === 'gone');
      if (broken) throw couponSuspect(broken.couponId, broken.reason ?? 'gone');
      const unreadable = passes.find((pass) => pass.skipped === 'wrong_type' || pass.skipped === 'redis_refused');
      if (unreadable) throw couponUnreadable(unreadable);
      const refused = passes.find((pass) => pass.skipped === 'refused');
      if (refused) throw ledgerRefuses(refused);
      break;
    }
    // A backlog of claims that other workers hold is no reason to spin; one of our own users who waits is.
    const goOn = options.eager && passes.some((pass) => !pass.skipped && pass.waiting > 0 && pass.issued > 0);
    if (!goOn) await clock.sleep(pauseMs(passes, options.intervalMs), stop);
  }
  return { ...totals, seconds: Math.round(clock.now() - started) / 1_000 };
}

/** A worker that stands by looks often enough to take over at once, and not more often. */
function pauseMs(passes: readonly CouponPass[], intervalMs: number): number {
  const held = passes.filter(({ heldBy }) => heldBy !== undefined).length;
  if (held === 0) return intervalMs;
  return held === passes.length ? HOLD_MS : Math.min(intervalMs, HOLD_MS);
}

/**
 * Retries while stores are away. Null: stopped meanwhile.
 *
 * @throws CouponError of kind `unreachable` when patience runs out; anything else at once
 */
async function throughOutages<T>(
  work: () => Promise<T>,
  patienceMs: number,
  events: Pick<DrainEvents, 'outage' | 'recovered'>,
  clock: Clock,
  stop: AbortSignal,
): Promise<T | null> {
  let away = false;
  const failed = (error: unknown): void => {
    if (!away) events.outage(error);
    away = true;
  };
  const delayMs = (count: number): number => jitter(Math.min(LONGEST_BACKOFF_MS, 100 * 2 ** Math.min(count, 10)));
  try {
    const done = await retry(work, { retries: isOutage, delayMs, patienceMs, stop, failed }, clock);
    if (away) events.recovered();
    return done;
  } catch (error) {
    if (!isOutage(error)) throw error;
    if (!away) events.outage(error);
    if (stop.aborted && patienceMs > 0) return null;
    throw patienceMs > 0 ? gaveUp(error, durationFlag(patienceMs)) : error;
  }
}

function ledgerRefuses({ couponId, reason }: CouponPass): CouponError {
  return new CouponError({
    code: 'LEDGER_REFUSES',
    kind: 'failure',
    message: `the ledger refuses every user of coupon ${couponId} that was tried`,
    why: reason,
    fix: 'Look at the triggers, constraints and rights of issued_coupons. The users are still in the queue, and none was dead-lettered.',
  });
}

function stillBusy({ couponId, skipped, reason }: CouponPass): CouponError {
  if (skipped === 'node_down') {
    return new CouponError({
      code: 'REDIS_NODE_DOWN',
      kind: 'unreachable',
      message: `coupon ${couponId} could not be drained: its Redis is away, or no replica of it confirms`,
      why: reason,
      fix: 'Look at CLUSTER NODES and INFO replication; coupons on other servers were drained.',
    });
  }
  return new CouponError({
    code: 'LEDGER_BUSY',
    kind: 'unreachable',
    message: `PostgreSQL could not issue coupon ${couponId} in time`,
    why: reason,
    fix: 'It may be tried again as it is. If it goes on, look for locks and long transactions on the coupon tables in pg_stat_activity.',
  });
}

/** `reason` holds the message of the coupon's own failure. */
function couponUnreadable({ couponId, skipped, reason }: CouponPass): CouponError {
  return new CouponError({
    code: skipped === 'wrong_type' ? 'KEY_WRONG_TYPE' : 'REDIS_REFUSED',
    kind: skipped === 'wrong_type' ? 'broken' : 'failure',
    message: `coupon ${couponId} was not drained: ${reason ?? 'Redis refused a command'}`,
    why: 'another program wrote its keys; all other coupons were drained',
    fix: WRONG_TYPE_FIX,
  });
}

/** Between half and all of it, so that workers that failed together do not come back together. */
function jitter(ms: number): number {
  return ms / 2 + Math.random() * (ms / 2);
}
