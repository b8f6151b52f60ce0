import { describe, expect, it } from 'vitest';
import { checkDefinition } from '../../../src/campaign/coupon.ts';
import { isVisible, visible, visibleLines } from '../../../src/lib/text/visible.ts';

describe('visible', () => {
  it.each([
    ['\u001b]0;x\u0007', '\\x1b]0;x\\x07'],
    ['a\nb\tc\r', 'a\\x0ab\\x09c\\x0d'],
    ['\u007f\u0085\u009b', '\\x7f\\x85\\x9b'],
    ['\u202eabc\u202c', '\\u202eabc\\u202c'],
    ['\u2066x\u2069\u200e\u200f\u061c', '\\u2066x\\u2069\\u200e\\u200f\\u061c'],
    ['a\u200bb\ufeff\u2060\u00ad', 'a\\u200bb\\ufeff\\u2060\\xad'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\ud800 \udc00', '\\ud800 \\udc00'],
    ['a\u200db', 'a\\u200db'],
    ['a\u{e0041}', 'a\\u{e0041}'],
    ['\u3164', '\\u3164'],
  ])('writes %j out', (text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(isVisible(text)).toBe(false);
  });

  it.each(['여름맞이 쿠폰', '👩‍💻 👩🏽‍🚀 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇰🇷 👨‍👩‍👧', 'می‌خواهم', 'क्‍ष', 'שלום مرحبا', 'ß é 葛󠄀', ''])('leaves %s alone', (text) => {
    expect(visible(text)).toBe(text.normalize('NFC'));
    expect(isVisible(text)).toBe(true);
  });

  it('of several lines begins none of them at the margin but the first', () => {
    expect(visibleLines('one\ntwo\u001b[2J\nerror: three')).toBe('one\n  two\\x1b[2J\n  error: three');
  });
});

it.each(['a\u202eb', '\u200b', 'x\u2066', 'a\u001b[2J', 'zero\ufeffwidth', '\ud800', 'a\u200db'])(
  'a coupon is not named %j, and the refusal shows why',
  (name) => {
    const definition = { id: 'a', name, total: 1, opensAt: null, closesAt: null, expiry: { kind: 'never' as const } };
    const refused = (() => {
      try {
        checkDefinition(definition);
      } catch (error) {
        return error as Error;
      }
      return null;
    })();
    expect(refused).toMatchObject({ code: 'BAD_NAME' });
    expect(isVisible(refused!.message)).toBe(true);
  },
);
