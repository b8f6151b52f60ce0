import { randomOf } from '../../src/bench/plan/user-plan.ts';
import type { Random } from './fault.ts';

/** mulberry32, see {@link randomOf}. */
export function seededRandom(seed: number): Random {
  const next = randomOf(seed);
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { next, int, pick: (items) => items[int(0, items.length - 1)]! };
}

/** The same items in another order. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let index = order.length - 1; index > 0; index -= 1) {
    const other = random.int(0, index);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
