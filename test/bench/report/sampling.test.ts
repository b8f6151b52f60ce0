import { expect, test } from 'vitest';
import { brokenAtGaps, samplingOf, samplingText } from '../../../src/bench/report/sampling.ts';

test('the interval is the one that most samples kept, and the largest gap the true one', () => {
  expect(samplingOf([0, 0.2, 0.4, 0.8, 1, 2.5, 2.7])).toEqual({ everySeconds: expect.closeTo(0.2), largestGapSeconds: 1.5 });
  expect(samplingText([0, 0.2, 0.4, 0.8, 1, 2.5, 2.7])).toBe('sampled every 0.2 s, largest gap 1.5 s');
});

test('a single sample has no interval', () => {
  expect(samplingOf([3])).toBeNull();
  expect(samplingText([3])).toBe('sampled once');
  expect(brokenAtGaps([[3], [7]])).toEqual([[3], [7]]);
});

test('a gap of more than two intervals breaks the line, one of two does not', () => {
  const seconds = [0, 0.2, 0.4, 0.8, 1, 1.5, 1.7];
  const [x, y] = brokenAtGaps([seconds, [1, 2, 3, 4, 5, 6, 7]]);
  expect(x).toEqual([0, 0.2, 0.4, 0.8, 1, 1.25, 1.5, 1.7]);
  expect(y).toEqual([1, 2, 3, 4, 5, null, 6, 7]);
});

test('samples that all are far apart are no gaps', () => {
  expect(
    brokenAtGaps([
      [0, 5, 10],
      [1, 2, 3],
    ]),
  ).toEqual([
    [0, 5, 10],
    [1, 2, 3],
  ]);
});
