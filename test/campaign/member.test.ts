import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUserId } from '../../src/campaign/ids.ts';
import { escapeMember, unescapeMember } from '../../src/campaign/member.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
  // Texts that are full of escapes, written out.
  fc
    .array(fc.constantFrom('\\', 'x', '\\x41', '\\xAC', 'a', '홍', '\u200b', ' '), { maxLength: 12 })
    .map((parts) => new TextEncoder().encode(parts.join(''))),
);

test('every member has a text that leads back to it, byte by byte', () => {
  fc.assert(
    fc.property(bytes, (member) => {
      expect([...unescapeMember(escapeMember(member))]).toEqual([...member]);
    }),
  );
});

test('the text of a member can be shown: no control or format characters', () => {
  fc.assert(
    fc.property(bytes, (member) => {
      expect(escapeMember(member)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
  );
});

test('a member that is a user id is its own text, and no other member has that text', () => {
  fc.assert(
    fc.property(bytes, (member) => {
      const text = escapeMember(member);
      fc.pre(isUserId(text));
      expect(new TextDecoder().decode(member)).toBe(text);
    }),
  );
});
