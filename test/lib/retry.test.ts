import { describe, expect, it } from 'vitest';
import { chunked } from '../../src/lib/chunked.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { retry, type RetryPolicy } from '../../src/lib/retry.ts';

describe('retry', () => {
  /** A clock that only sleeping moves. */
  function sleepingClock(): Clock & { slept: number[] } {
    let ms = 0;
    const slept: number[] = [];
    return {
      slept,
      now: () => ms,
      async sleep(wanted) {
        slept.push(wanted);
        ms += wanted;
      },
    };
  }
  const failing = (times: number) => {
    let tries = 0;
    return async () => {
      tries += 1;
      if (tries <= times) throw new Error(`failure ${tries}`);
      return tries;
    };
  };
  const policy = (more: Partial<RetryPolicy> = {}): RetryPolicy => ({
    retries: () => true,
    delayMs: (count) => 100 * 2 ** count,
    patienceMs: 1_000,
    ...more,
  });

  it('waits as long as the policy says between tries, and tells of each failure that it retries', async () => {
    const clock = sleepingClock();
    const told: string[] = [];
    const failed = (error: unknown, count: number) => void told.push(`${count} ${(error as Error).message}`);
    expect(await retry(failing(3), policy({ failed }), clock)).toBe(4);
    expect(clock.slept).toEqual([100, 200, 400]);
    expect(told).toEqual(['0 failure 1', '1 failure 2', '2 failure 3']);
  });

  it('throws the last failure when patience or retries have run out, and the last wait is cut short', async () => {
    const clock = sleepingClock();
    await expect(retry(failing(99), policy(), clock)).rejects.toThrow('failure 5');
    expect(clock.slept).toEqual([100, 200, 400, 300]);
    await expect(retry(failing(99), policy({ delayMs: (count) => (count < 2 ? 1 : null) }), sleepingClock())).rejects.toThrow('failure 3');
    await expect(retry(failing(99), policy({ patienceMs: 0 }), sleepingClock())).rejects.toThrow('failure 1');
  });

  it('throws at once what will not pass, and when it is stopped', async () => {
    await expect(retry(failing(1), policy({ retries: () => false }), sleepingClock())).rejects.toThrow('failure 1');
    const stop = new AbortController();
    const work = failing(99);
    const tried = retry(work, policy({ stop: stop.signal, failed: () => stop.abort(), delayMs: () => 60_000 }), systemClock);
    await expect(tried).rejects.toThrow('failure 1');
  });
});

describe('chunked', () => {
  it('keeps the order, and every item once', () => {
    expect([...chunked([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]]);
    expect([...chunked([], 2)]).toEqual([]);
  });
});
