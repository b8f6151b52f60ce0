import type { Disruption, TimelineEntry } from './scenario/timeline.ts';
import type { Clock } from '../lib/clock.ts';
import type { DisruptionEvent } from './report/report.ts';

/** Does one thing to the service, and returns when the service stands again. */
export type Disrupt = (action: Disruption) => Promise<void>;

/** A signal is noticed this soon. */
const LOOK_EVERY_MS = 50;

/**
 * Carries a timeline out while the load runs, one action after the other: the next one comes at its time, but never before the
 * service stands again. What is left when the load ends is done all the same; a signal leaves it out.
 *
 * @returns what was done. An action that failed is in it too: what came of it is for the checks to say.
 */
export async function runTimeline(
  timeline: readonly TimelineEntry[],
  disrupt: Disrupt,
  clock: Clock,
  signal: AbortSignal,
): Promise<DisruptionEvent[]> {
  const zero = clock.now();
  const elapsed = (): number => clock.now() - zero;
  const events: DisruptionEvent[] = [];
  for (const { atMs, action } of timeline) {
    while (!signal.aborted && elapsed() < atMs) await clock.sleep(Math.min(LOOK_EVERY_MS, atMs - elapsed()));
    if (signal.aborted) return events;
    const begun = elapsed();
    const second = seconds(begun);
    try {
      await disrupt(action);
      events.push({ action, second, tookSeconds: seconds(elapsed() - begun) });
    } catch (error) {
      events.push({ action, second, tookSeconds: null, why: (error as Error).message });
    }
  }
  return events;
}

function seconds(ms: number): number {
  return Math.round(ms) / 1_000;
}
