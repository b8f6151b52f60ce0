/**
 * When the requests of an open model are due. The rate is a line made of straight segments; its integral N(t) says how many
 * arrivals there have been by t, and arrival number i is due at the first moment at which N reaches i. The times come from the
 * formula and not from adding up gaps, so that a long plan does not drift and any part of it has the arrivals of its integral.
 */
import { stagesMs, type Stage } from './stages.ts';

/** Arrivals per second at the start, and where the rate goes from there. */
export interface ArrivalRate {
  startRate: number;
  stages: readonly Stage[];
}

/** Sums of fractions of a millisecond miss whole numbers by a hair; a millionth of an arrival is none. */
const EPSILON = 1e-6;

/** How many arrivals there are in all: those that are due before the last stage ends. */
export function arrivalCount(rate: ArrivalRate): number {
  return Math.max(0, Math.ceil(arrivalsBy(rate, stagesMs(rate.stages)) - EPSILON));
}

/** N(t): the integral of the rate from the start to `ms`. */
export function arrivalsBy({ startRate, stages }: ArrivalRate, ms: number): number {
  let sum = 0;
  let from = startRate;
  let left = ms;
  for (const { durationMs, target } of stages) {
    const part = Math.min(left, durationMs);
    if (part > 0) sum += integral(from, target, durationMs, part);
    left -= durationMs;
    from = target;
  }
  return sum;
}

/** Milliseconds at which each arrival is due, in order, one at a time: a plan of millions needs no list. */
export function* arrivalTimes(rate: ArrivalRate): Generator<number, void> {
  const count = arrivalCount(rate);
  let number = 0;
  let startMs = 0;
  let before = 0;
  let from = rate.startRate;
  for (const { durationMs, target } of rate.stages) {
    const inStage = integral(from, target, durationMs, durationMs);
    for (; number < count && number <= before + inStage - EPSILON; number += 1) {
      yield startMs + Math.min(durationMs, reached(from, target, durationMs, Math.max(0, number - before)));
    }
    startMs += durationMs;
    before += inStage;
    from = target;
  }
}

/** Arrivals in the first `part` ms of a stage whose rate goes from one level to another. */
function integral(from: number, to: number, durationMs: number, part: number): number {
  const slope = durationMs === 0 ? 0 : (to - from) / durationMs;
  return (from * part + (slope * part * part) / 2) / 1_000;
}

/** The part of a stage after which there have been `arrivals`: the root of the integral, in the form that divides by no zero slope. */
function reached(from: number, to: number, durationMs: number, arrivals: number): number {
  if (arrivals === 0) return 0;
  const slope = durationMs === 0 ? 0 : (to - from) / durationMs;
  return (2 * arrivals * 1_000) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * arrivals * 1_000)));
}
