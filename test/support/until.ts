import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the condition holds. The deadline only ends a test that has failed; it asserts nothing about speed. */
export async function until(condition: () => Promise<boolean> | boolean, deadlineMs = 30_000): Promise<void> {
  const ends = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > ends) throw new Error(`still not so after ${deadlineMs} ms: ${condition.toString()}`);
    await delay(10);
  }
}
