import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RollCall } from '../../../src/audit/reconcile/missing-users.ts';

const userIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 40 });

describe('a roll call', () => {
  it('is settled when everybody who was called was seen, in whatever order', () => {
    fc.assert(
      fc.property(userIds, (users) => {
        const roll = new RollCall(4);
        const [some, others] = [users.slice(0, users.length / 2), users.slice(users.length / 2)];
        for (const user of some) roll.call(user);
        for (const user of users) roll.see(user);
        for (const user of others) roll.call(user);
        expect(roll.isSettled()).toBe(true);
        expect(users.filter((user) => roll.mayBeMissing(user))).toEqual([]);
      }),
    );
  });

  it('never overlooks anybody who is missing, however many share a bucket', () => {
    fc.assert(
      fc.property(userIds, fc.nat(), (users, seed) => {
        const roll = new RollCall(4);
        const missing = users.filter((_, index) => (seed >> (index % 31)) % 2 === 1);
        for (const user of users) roll.call(user);
        for (const user of users) if (!missing.includes(user)) roll.see(user);
        expect(roll.isSettled()).toBe(missing.length === 0);
        expect(missing.filter((user) => !roll.mayBeMissing(user))).toEqual([]);
      }),
    );
  });

  it('has somebody looked at once more who was called or seen twice, also where that makes the numbers even', () => {
    const roll = new RollCall(1);
    for (const user of ['lost', 'moved']) roll.call(user);
    for (const user of ['moved', 'moved']) roll.see(user);
    expect(roll.isSettled()).toBe(false);
    expect(roll.mayBeMissing('lost')).toBe(true);
  });

  it('names hardly anybody who was seen, among a hundred thousand', () => {
    const roll = new RollCall();
    const users = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
    for (const user of users) roll.call(user);
    for (const user of users) if (user !== 'user-777') roll.see(user);
    const named = users.filter((user) => roll.mayBeMissing(user));
    expect(named).toContain('user-777');
    expect(named.length).toBeLessThan(10);
  });
});
