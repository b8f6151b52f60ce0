import { expect, test } from 'vitest';
import { timeLeftMs, type Phase } from '../../../src/bench/plan/phase.ts';

const shared: Phase = { name: 'rush', executor: 'shared-iterations', vus: 10, maxDurationMs: 60_000, iterations: 1_000, think: null };
const timed: Phase = { name: 'steady', executor: 'constant-vus', vus: 10, maxDurationMs: 30_000, startVus: 10, stages: [], think: null };

test('the time left is that of the rate for shared iterations, and that of the clock for all else', () => {
  expect(timeLeftMs([shared], 1_000, 400, 200)).toBe(3_000);
  expect(timeLeftMs([timed], 10_000, 0, 0)).toBe(20_000);
  expect(timeLeftMs([shared, timed], 1_000, 400, 200)).toBe(33_000);
  expect(timeLeftMs([timed, shared], 10_000, 7, 100)).toBe(30_000);
});

test('shared iterations end with their longest duration at the latest, and nothing is said without a rate', () => {
  expect(timeLeftMs([shared], 59_000, 0, 1)).toBe(1_000);
  expect(timeLeftMs([shared], 0, 0, 0)).toBeNull();
  expect(timeLeftMs([], 0, 0, 0)).toBe(0);
});
