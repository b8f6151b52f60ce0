import { expect, test } from 'vitest';
import { parseScenario } from '../../../src/bench/scenario/scenario.ts';

const scenario = (timeline: unknown) =>
  parseScenario(
    JSON.stringify({ version: 1, name: 'day', coupons: [{ id: 'c', total: 1 }], users: { count: 2 }, phases: [{ vus: 1 }], timeline }),
    'day.yaml',
  );

test('entries are put in order of time', () => {
  const { timeline } = scenario([
    { at: '2s', action: 'restart-redis' },
    { at: '0s', action: 'kill-serve' },
    { at: '2s', action: 'kill-drain' },
  ]);
  expect(timeline).toEqual([
    { atMs: 0, action: 'kill-serve' },
    { atMs: 2_000, action: 'restart-redis' },
    { atMs: 2_000, action: 'kill-drain' },
  ]);
});

test('a scenario without one has none', () => {
  expect(scenario(undefined).timeline).toEqual([]);
});

test.each([
  ['an action that there is not', [{ at: '1s', action: 'kill-redis' }], 'action'],
  ['a time that is none', [{ at: 'soon', action: 'kill-drain' }], 'at'],
  ['a time beyond any load', [{ at: '2d', action: 'kill-drain' }], 'at most 24h'],
  ['a setting that there is not', [{ at: '1s', action: 'kill-drain', signal: 'SIGTERM' }], 'signal'],
])('%s is refused', (_, timeline, word) => {
  expect(() => scenario(timeline)).toThrow(expect.objectContaining({ code: 'BAD_SCENARIO', why: expect.stringContaining(word) }));
});
