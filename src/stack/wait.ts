import { systemClock as clock } from '../lib/clock.ts';

/**
 * Asks again and again until the answer is not null, and gives up with null after the deadline.
 * The condition is asked at least once, and once more after the deadline has passed during a pause.
 */
export async function until<T>(condition: () => Promise<T | null> | T | null, deadlineMs: number, pauseMs = 20): Promise<T | null> {
  const end = clock.now() + deadlineMs;
  for (let late = false; ;) {
    const answer = await condition();
    if (answer !== null) return answer;
    if (late) return null;
    await clock.sleep(pauseMs);
    late = clock.now() >= end;
  }
}
