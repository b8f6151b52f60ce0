import { expect, test } from 'vitest';
import { noOutcomes } from '../../../src/campaign/outcome.ts';
import { benchProgressText } from '../../../src/bench/report/summary.ts';

const load = { phase: 'rush', planned: 11_000, outcomes: { ...noOutcomes(), accepted: 900, sold_out: 100 }, elapsedMs: 500 };

test('the line of progress has rate, p99, outcomes, stock left and time left', () => {
  expect(benchProgressText({ step: 'load', load: { ...load, p99Ms: 83.4, leftMs: 5_000 }, stockLeft: 100 })).toBe(
    '1,000 of 11,000 requests, 2,000/s · p99 83.4 ms · 900 accepted 100 sold_out · 100 in stock · 5 s left',
  );
});

test('the line of progress leaves out what nobody knows', () => {
  expect(benchProgressText({ step: 'load', load: { ...load, p99Ms: null, leftMs: null, outcomes: noOutcomes() }, stockLeft: null })).toBe(
    '0 of 11,000 requests, 0/s',
  );
});

test('where as many requests come as fit into a time, no end is named', () => {
  expect(benchProgressText({ step: 'load', load: { ...load, planned: null, p99Ms: null, leftMs: 5_000 }, stockLeft: null })).toBe(
    '1,000 requests, 2,000/s · 900 accepted 100 sold_out · 5 s left',
  );
});
