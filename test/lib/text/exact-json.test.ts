import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../../src/lib/text/exact-json.ts';

describe('JSON with numbers that a double would round', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['{"id":12345678901234567}', { id: '12345678901234567' }],
    ['[ 123456789012345678901234567890 ]', ['123456789012345678901234567890']],
    ['{"id":9007199254740991,"us":1790000000000000}', { id: 9_007_199_254_740_991, us: 1_790_000_000_000_000 }],
    ['{"x":0.30000000000000004,"id":"12345678901234567"}', { x: 0.300_000_000_000_000_04, id: '12345678901234567' }],
    [
      '{"x":1.7959769310000001E9,"y":1234567890123456.5,"z":12345678901234567e2}',
      { x: Number('1.7959769310000001E9'), y: Number('1234567890123456.5'), z: Number('12345678901234567e2') },
    ],
    [String.raw`"a\"12345678901234567"`, 'a"12345678901234567'],
    [String.raw`{"a\\":12345678901234567}`, { 'a\\': '12345678901234567' }],
  ])('%s', (text, value) => expect(parseExactJson(text)).toEqual(value));

  test.each(['', '12345678901234567 12345678901234567', '{"id":012345678901234567}', '"12345678901234567'])('%s is none', (text) =>
    expect(() => parseExactJson(text)).toThrow(SyntaxError),
  );

  test('is otherwise what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // Doubles of such a size are written with all digits, and are no ids.
        fc.pre(!/\d{16}/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')));
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
