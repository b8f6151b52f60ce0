import { expect, test } from 'vitest';
import { runTimeline } from '../../src/bench/run-timeline.ts';
import type { TimelineEntry } from '../../src/bench/scenario/timeline.ts';

/** Time passes only while somebody sleeps. */
function fakeClock() {
  let now = 1_000;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

const TIMELINE: TimelineEntry[] = [
  { atMs: 500, action: 'kill-drain' },
  { atMs: 700, action: 'restart-redis' },
  { atMs: 5_000, action: 'restart-postgres' },
];

test('each action comes at its time, but never before the last one is over', async () => {
  const clock = fakeClock();
  const disrupt = (action: string) => clock.sleep(action === 'kill-drain' ? 1_000 : 100);
  const events = await runTimeline(TIMELINE, disrupt, clock, new AbortController().signal);
  expect(events).toEqual([
    { action: 'kill-drain', second: 0.5, tookSeconds: 1 },
    { action: 'restart-redis', second: 1.5, tookSeconds: 0.1 },
    { action: 'restart-postgres', second: 5, tookSeconds: 0.1 },
  ]);
});

test('an action that fails is told, and the others still come', async () => {
  const disrupt = async (action: string) => {
    if (action === 'restart-redis') throw new Error('it did not come back');
  };
  const events = await runTimeline(TIMELINE, disrupt, fakeClock(), new AbortController().signal);
  expect(events.map(({ tookSeconds }) => tookSeconds)).toEqual([0, null, 0]);
  expect(events[1]).toEqual({ action: 'restart-redis', second: 0.7, tookSeconds: null, why: 'it did not come back' });
});

test('a signal leaves out what is left', async () => {
  const stop = new AbortController();
  const events = await runTimeline(TIMELINE, async () => stop.abort('SIGINT'), fakeClock(), stop.signal);
  expect(events).toMatchObject([{ action: 'kill-drain' }]);
});
