import { number } from '../../lib/text/figures.ts';
import type { Trip } from './ports.ts';
import { ok, problem, unknown, warning } from './line.ts';

/** A sale that opens and a coupon that expires half a second early or late is seen by users. */
const CLOCK_WARNING_MS = 500;
const CLOCK_PROBLEM_MS = 10_000;
/** Requests wait for one trip to Redis, and a batch of drain for several to PostgreSQL. */
const SLOW_MS = 10;

const SYNCHRONISE = 'Synchronise the clocks with NTP or chrony.';

export function clockLine(trip: Trip | null, store: string): ReturnType<typeof ok> {
  if (trip === null) return unknown(`this user may not ask for the time of ${store}`, 'Allow +time.');
  return judge(trip.aheadMs, trip.exactToMs, store, 'this machine');
}

/** Redis opens and closes a sale, PostgreSQL says what was issued when. */
export function storeClocksLine(redis: Trip, postgres: Trip): ReturnType<typeof ok> {
  return judge(redis.aheadMs - postgres.aheadMs, redis.exactToMs + postgres.exactToMs, 'Redis', 'PostgreSQL');
}

function judge(aheadMs: number, exactToMs: number, one: string, other: string): ReturnType<typeof ok> {
  const apart = Math.abs(aheadMs);
  const atLeast = Math.max(0, apart - exactToMs);
  const text = `${one} is ${inMs(apart)} ${aheadMs >= 0 ? 'ahead of' : 'behind'} ${other} (± ${inMs(exactToMs)})`;
  if (atLeast >= CLOCK_PROBLEM_MS) return problem(text, SYNCHRONISE);
  return atLeast >= CLOCK_WARNING_MS ? warning(text, SYNCHRONISE) : ok(text);
}

export function roundTripLine(trip: Trip | null, store: string): ReturnType<typeof ok> {
  if (trip === null) return unknown(`this user may not ask ${store} for anything that takes no time`, 'Allow +time.');
  const text = `${inMs(trip.medianMs)}, at worst ${inMs(trip.worstMs)}`;
  return trip.medianMs > SLOW_MS ? warning(text, `Run serve and drain nearer to ${store}.`) : ok(text);
}

function inMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${number(Math.round(ms))} ms`;
}
