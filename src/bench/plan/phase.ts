/** How a phase of a load makes its requests, in k6's words. Times are milliseconds, rates are per second. */
import { arrivalCount, type ArrivalRate } from './arrivals.ts';
import type { Stage } from './stages.ts';

/**
 * - closed model: each virtual user sends its next request when the last has ended, after `think`
 *   - `shared-iterations`  `vus` users share `iterations` requests
 *   - `constant-vus`       `vus` users for a time
 *   - `ramping-vus`        as many users as the stages say
 * - open model (`*-arrival-rate`): requests become due by the clock, whatever has become of those before
 */
export type Phase = ClosedPhase | OpenPhase;
export type ClosedPhase = SharedIterations | TimedVus;

interface Common {
  name: string;
  /** Most virtual users at a time; each has one connection and at most one request under way. */
  vus: number;
  /** The phase stops sending after so long. */
  maxDurationMs: number;
}

export interface ThinkTime {
  minMs: number;
  maxMs: number;
}

export interface SharedIterations extends Common {
  executor: 'shared-iterations';
  iterations: number;
  think: ThinkTime | null;
}

export interface TimedVus extends Common {
  executor: 'constant-vus' | 'ramping-vus';
  startVus: number;
  stages: readonly Stage[];
  think: ThinkTime | null;
}

export interface OpenPhase extends Common {
  executor: 'constant-arrival-rate' | 'ramping-arrival-rate';
  rate: ArrivalRate;
  /** Connections that stand before the first request is due; up to `vus` are added when these do not suffice. */
  preAllocatedVus: number;
  /** A request that finds no free connection for so long is dropped. */
  startWithinMs: number;
}

export function isOpen(phase: Phase): phase is OpenPhase {
  return phase.executor === 'constant-arrival-rate' || phase.executor === 'ramping-arrival-rate';
}

/** Requests that the phase certainly wants to make; null: as many as come of its time. */
export function wantedRequests(phase: Phase): number | null {
  if (isOpen(phase)) return arrivalCount(phase.rate);
  return phase.executor === 'shared-iterations' ? phase.iterations : null;
}

/** Requests of all phases together; null: one of them makes as many as come of its time. */
export function plannedRequests(phases: readonly Phase[]): number | null {
  const wanted = phases.map(wantedRequests);
  return wanted.includes(null) ? null : wanted.reduce<number>((sum, one) => sum + one!, 0);
}

/**
 * Milliseconds until the last of these phases ends: shared iterations at a rate, everything else by its time. Null when the
 * rate is not known yet.
 *
 * @param elapsedMs since the first of them began
 * @param made requests of the first that have been sent
 */
export function timeLeftMs(phases: readonly Phase[], elapsedMs: number, made: number, perSecond: number): number | null {
  let left = 0;
  for (const [index, phase] of phases.entries()) {
    const spent = index === 0 ? elapsedMs : 0;
    const byClock = Math.max(0, phase.maxDurationMs - spent);
    if (phase.executor !== 'shared-iterations') left += byClock;
    else if (!(perSecond > 0)) return null;
    else left += Math.min(byClock, (Math.max(0, phase.iterations - (index === 0 ? made : 0)) / perSecond) * 1_000);
  }
  return left;
}
