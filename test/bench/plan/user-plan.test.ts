import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plannedRequests, planRequests, UserDirectory } from '../../../src/bench/plan/user-plan.ts';

const options = { count: 1_000, prefix: 'u-', start: 1, duplicateRate: 0, impatience: 0.5, seed: 1 };

describe('the plan of requests', () => {
  test('everybody asks for everything once, and exactly the share of them again, after their first', () => {
    const plans = fc.record({
      count: fc.integer({ min: 1, max: 200 }),
      duplicateRate: fc.double({ min: 0, max: 3, noNaN: true }),
      impatience: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 50 }), (users, coupons, near) => {
        const plan = planRequests({ ...options, ...users }, coupons, near);
        expect(plan.length).toBe(plannedRequests(users, coupons));
        const asked = new Map<string, number>();
        for (let row = 0; row < plan.length; row += 1) {
          const key = `${plan.user[row]} ${plan.coupon[row]}`;
          asked.set(key, (asked.get(key) ?? 0) + 1);
        }
        expect(asked.size).toBe(users.count * coupons);
        expect(Math.max(...asked.values())).toBeLessThanOrEqual(Math.floor(users.duplicateRate) + 2);
        expect(new Set(plan.requestId).size).toBe(plan.length);
      }),
      { numRuns: 100 },
    );
  });

  test('a few hot users ask many times more, and nobody else does', () => {
    const users = { ...options, count: 50, hot: { users: 2, repeats: 30 } };
    const plan = planRequests(users, 1, 5);
    expect(plan.length).toBe(plannedRequests(users, 1));
    const asked = new Map<number, number>();
    for (const user of plan.user) asked.set(user, (asked.get(user) ?? 0) + 1);
    expect([...asked.values()].toSorted((a, b) => b - a).slice(0, 3)).toEqual([31, 31, 1]);
    expect(asked.size).toBe(50);
  });

  test('impatient users ask again while about as many others ask as there are virtual users', () => {
    const plan = planRequests({ ...options, duplicateRate: 0.1, impatience: 1 }, 1, 20);
    const distances = [...plan.user].map((user, row) => row - plan.user.indexOf(user));
    expect(Math.max(...distances)).toBeGreaterThan(0);
    expect(Math.max(...distances)).toBeLessThan(40);
  });

  test('the same seed gives the same plan, another seed another', () => {
    const plan = (seed: number) => [...planRequests({ ...options, seed }, 1, 1).user];
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
  });

  test('the order is not that of the ids', () => {
    const { user } = planRequests(options, 1, 1);
    expect([...user]).not.toEqual([...user].toSorted((a, b) => a - b));
  });
});

describe('names of users', () => {
  const directory = () => new UserDirectory({ count: 100, prefix: 'u-', start: 50 });

  test('there and back', () => {
    const users = directory();
    for (let user = 0; user < 100; user += 1) expect(users.numberOf(users.id(user))).toBe(user);
    expect(users.id(0)).toBe('u-50');
  });

  test.each(['u-49', 'u-150', 'u-051', 'u-', 'v-60', 'u-60x', '60'])('"%s" is none of the planned, and gets a number of its own', (id) => {
    const users = directory();
    const user = users.numberOf(id);
    expect(user).toBe(100);
    expect(users.numberOf(id)).toBe(user);
    expect(users.id(user)).toBe(id);
    expect(users.numberOf('another')).toBe(101);
  });
});
