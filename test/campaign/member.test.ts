import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUserId } from '../../src/campaign/ids.ts';
import { compareMembers, escapeMember, unescapeMember } from '../../src/campaign/member.ts';

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

test('texts are put in the order of their members, as Redis has them', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 8 }), (members) => {
      const inRedis = members.toSorted((a, b) => Buffer.compare(a, b)).map(escapeMember);
      expect(members.map(escapeMember).toSorted(compareMembers)).toEqual(inRedis);
    }),
  );
  // Neither bytes that are no text nor characters outside the basic plane are in the order of JavaScript.
  expect(['\\xac\\xed', 'kim', '\u{1f600}', '\uffee'].toSorted(compareMembers)).toEqual(['kim', '\\xac\\xed', '\uffee', '\u{1f600}']);
});
