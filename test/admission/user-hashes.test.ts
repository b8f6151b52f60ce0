import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserHashes } from '../../src/admission/user-hashes.ts';

test('has every user that was added, and hardly any other', () => {
  const users = new UserHashes(100_000);
  for (let i = 0; i < 100_000; i += 1) expect(users.add(`user-${i}`)).toBe(true);
  let [missed, wrong] = [0, 0];
  for (let i = 0; i < 100_000; i += 1) if (!users.mayHave(`user-${i}`)) missed += 1;
  for (let i = 100_000; i < 300_000; i += 1) if (users.mayHave(`user-${i}`)) wrong += 1;
  expect(missed).toBe(0);
  // 200,000 times 100,000 over 2³² are five.
  expect(wrong).toBeLessThan(30);
});

test('never misses a user, whatever the ids are', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 128 }), { maxLength: 200 });
  fc.assert(
    fc.property(ids, (some) => {
      const users = new UserHashes(some.length);
      return some.every((id) => users.add(id)) && some.every((id) => users.mayHave(id));
    }),
  );
});

test('says when more come than it has room for, and still finds its way', () => {
  const users = new UserHashes(10);
  const added = Array.from({ length: 5_000 }, (_, i) => users.add(`user-${i}`));
  expect(added.slice(0, 512)).not.toContain(false);
  expect(added.at(-1)).toBe(false);
  expect(users.mayHave('user-0')).toBe(true);
});
