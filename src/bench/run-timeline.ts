import type { Disruption, TimelineEntry } from './scenario/timeline.ts';
import type { Clock } from '../lib/clock.ts';
import type { Note } from './report/report.ts';

/** Does one thing to the service, and returns when the service stands again. */
export type Disrupt = (action: Disruption) => Promise<void>;

/** A signal is noticed this soon. */
const LOOK_EVERY_MS = 50;

/**
 * Carries a timeline out while the load runs, one action after the other: the next one comes at its time, but never before the
 * service stands again. What is left when the load ends is done all the same; a signal leaves it out.
 *
 * @returns a note for each action. One that failed is a note too: what came of it is for the checks to say.
 */
export async function runTimeline(
  timeline: readonly TimelineEntry[],
  disrupt: Disrupt,
  clock: Clock,
  signal: AbortSignal,
): Promise<Note[]> {
  const zero = clock.now();
  const elapsed = (): number => clock.now() - zero;
  const notes: Note[] = [];
  for (const { atMs, action } of timeline) {
    while (!signal.aborted && elapsed() < atMs) await clock.sleep(Math.min(LOOK_EVERY_MS, atMs - elapsed()));
    if (signal.aborted) return notes;
    const begun = elapsed();
    try {
      await disrupt(action);
      notes.push({ code: 'DISRUPTED', facts: { action, second: seconds(begun), took: seconds(elapsed() - begun) } });
    } catch (error) {
      notes.push({ code: 'DISRUPTION_FAILED', facts: { action, second: seconds(begun), why: (error as Error).message } });
    }
  }
  return notes;
}

function seconds(ms: number): number {
  return Math.round(ms) / 1_000;
}
