import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { submitPlan } from '../../src/operate/submit-plan.ts';

const shares = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);

describe('a submit plan', () => {
  test('has exactly N distinct users, round(N·P) repeats, and every repeat after its first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), shares, (users, repeats) => {
        const plan = submitPlan(users, repeats, (index) => `u${index}`);
        const order = Array.from({ length: plan.requests }, (_, i) => plan.userOf(i));
        // A Set keeps the order of first appearance: users come one after the other, and repeats after their first.
        expect([...new Set(order)]).toEqual(Array.from({ length: users }, (_, i) => `u${i}`));
        const again = plan.requests - users;
        expect(again).toBe(Math.round(users * repeats));
      }),
    );
  });

  test('spreads the repeats over the users', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20 }), (users, repeats) => {
        const counts = new Map<string, number>();
        const plan = submitPlan(users, repeats, String);
        for (let i = 0; i < plan.requests; i++) counts.set(plan.userOf(i), (counts.get(plan.userOf(i)) ?? 0) + 1);
        expect(Math.max(...counts.values())).toBeLessThanOrEqual(2 * (repeats + 1));
      }),
    );
  });

  test('stays exact at the largest sizes: the first requests count up to the last user', () => {
    for (const repeats of [0, 0.1, 1 / 3, 0.5, 1, 7.77, 99.99, 100]) {
      const users = 10_000_000;
      const plan = submitPlan(users, repeats, String);
      expect(plan.requests).toBe(users + Math.round(users * repeats));
      expect(plan.userOf(0)).toBe('0');
      const tail = Array.from({ length: 300 }, (_, i) => Number(plan.userOf(plan.requests - 1 - i)));
      expect(Math.max(...tail)).toBe(users - 1);
    }
  });
});
