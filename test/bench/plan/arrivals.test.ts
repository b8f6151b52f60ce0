import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalCount, arrivalsBy, arrivalTimes } from '../../../src/bench/plan/arrivals.ts';
import { levelAt, stagesMs } from '../../../src/bench/plan/stages.ts';

const constant = (rate: number, durationMs: number) => ({ startRate: rate, stages: [{ durationMs, target: rate }] });

const rates = fc.record({
  startRate: fc.double({ min: 0, max: 500, noNaN: true }),
  stages: fc.array(fc.record({ durationMs: fc.integer({ min: 1, max: 5_000 }), target: fc.double({ min: 0, max: 500, noNaN: true }) }), {
    minLength: 1,
    maxLength: 5,
  }),
});

describe('the arrivals of an open model', () => {
  test('are evenly spaced at a constant rate', () => {
    expect([...arrivalTimes(constant(4, 1_000))]).toEqual([0, 250, 500, 750]);
    expect(arrivalCount(constant(1_000, 10_000))).toBe(10_000);
  });

  test('come closer while the rate rises, and not at all while it is zero', () => {
    const ramp = { startRate: 0, stages: [{ durationMs: 2_000, target: 4 }] };
    const times = [...arrivalTimes(ramp)];
    expect(times).toEqual([0, 1_000, expect.closeTo(Math.SQRT2 * 1_000), expect.closeTo(Math.sqrt(3) * 1_000)]);
    const pause = {
      startRate: 2,
      stages: [
        { durationMs: 1_000, target: 2 },
        { durationMs: 0, target: 0 },
        { durationMs: 5_000, target: 0 },
      ],
    };
    expect([...arrivalTimes(pause)]).toEqual([0, 500]);
  });

  test('are in order, as many as announced, and up to any moment as many as the rate adds up to', () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 1, noNaN: true }), (rate, share) => {
        const times = [...arrivalTimes(rate)];
        expect(times).toHaveLength(arrivalCount(rate));
        for (let index = 1; index < times.length; index += 1) expect(times[index]!).toBeGreaterThanOrEqual(times[index - 1]!);
        const ms = share * stagesMs(rate.stages);
        expect(times.at(-1) ?? 0).toBeLessThanOrEqual(stagesMs(rate.stages));
        const until = times.filter((time) => time <= ms).length;
        expect(Math.abs(until - arrivalsBy(rate, ms))).toBeLessThanOrEqual(1 + 1e-3);
      }),
      { numRuns: 200 },
    );
  });
});

test('a level follows its stages, and stays where the last one ends', () => {
  const stages = [
    { durationMs: 100, target: 10 },
    { durationMs: 50, target: 10 },
    { durationMs: 100, target: 0 },
  ];
  expect([0, 50, 100, 120, 200, 250, 999].map((ms) => levelAt(0, stages, ms))).toEqual([0, 5, 10, 10, 5, 0, 0]);
});
