import { expect, test } from 'vitest';
import { Repeats } from '../../../src/operate/adopt/repeats.ts';

/** So many that some share a place by chance. */
const MANY = Array.from({ length: 60_000 }, (_, i) => `user-${i}`);

/** Each name once, by a caller that keeps the doubtful ones. */
async function countOnce(names: readonly string[], repeats = new Repeats()): Promise<{ count: number; kept: Set<string>; reads: number }> {
  let reads = 0;
  const found = await repeats.settle(async () => {
    reads += 1;
    let once = 0;
    const kept = new Set<string>();
    for (const name of names) {
      if (repeats.meet(name)) kept.add(name);
      else once += 1;
    }
    return { count: once + kept.size, kept };
  });
  return { ...found, reads };
}

test('names that are met several times count once', async () => {
  const { count, kept, reads } = await countOnce(['ann', 'kim', 'ann', 'joe', 'ann', 'kim']);
  expect(count).toBe(3);
  expect(kept).toEqual(new Set(['ann', 'kim']));
  expect(reads).toBe(2);
});

test('names that share a place by chance are told apart, and few are', async () => {
  const { count, kept } = await countOnce([...MANY, 'user-7']);
  expect(count).toBe(MANY.length);
  expect(kept).toContain('user-7');
  expect(kept.size).toBeGreaterThan(2);
  expect(kept.size).toBeLessThan(200);
});

test('a name that was not met is never said to have been', async () => {
  const repeats = new Repeats();
  await countOnce(MANY, repeats);
  expect(MANY.filter((name) => !repeats.mayHaveMet(name))).toEqual([]);
  expect(MANY.filter((name) => repeats.mayHaveMet(`other-${name}`)).length).toBeLessThan(MANY.length / 100);
});
