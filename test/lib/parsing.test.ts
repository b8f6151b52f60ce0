import { printable } from '../../src/lib/text/visible.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationFlag, formatDuration, parseDuration } from '../../src/lib/duration.ts';
import { CouponError } from '../../src/lib/errors.ts';
import { isCouponId, isUserId, parseCouponId, parseUserId } from '../../src/campaign/ids.ts';
import { parseRate, parseShare, parseWhole } from '../../src/lib/numbers.ts';
import { formatInstant, parseInstant, parseTimeZone } from '../../src/campaign/time.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof CouponError ? `${error.kind} ${error.code}` : String(error);
  }
  return 'no error';
};

describe('durations', () => {
  it('take a whole number and a unit', () => {
    expect(['500ms', '2s', '5m', '12h', '30d', '0s'].map((text) => parseDuration(text))).toEqual([
      500, 2_000, 300_000, 43_200_000, 2_592_000_000, 0,
    ]);
  });

  it('refuse what other parsers let through', () => {
    for (const text of ['2', '1M', '-5s', '1.5h', '30m1h', '1s1s', '1m30', 'm', '', ' 2s', '2 s', '999999999d', '٣s']) {
      expect(
        codeOf(() => parseDuration(text)),
        text,
      ).toBe('usage BAD_DURATION');
    }
  });

  it('survive the way to a flag and back', () => {
    fc.assert(fc.property(fc.nat(4_000_000_000), (ms) => parseDuration(durationFlag(ms)) === ms));
  });

  it('read well', () => {
    expect([20_000_000, 12_000, 340, 60_000, 90_061_000, 0].map(formatDuration)).toEqual([
      '5 h 33 min',
      '12 s',
      '340 ms',
      '1 min',
      '1 d 1 h',
      '0 ms',
    ]);
  });
});

describe('ids', () => {
  it('of coupons are 1–64 safe characters that start with a letter or digit', () => {
    expect(['42', 'a', 'summer-2026_v1.0', 'x'.repeat(64)].every(isCouponId)).toBe(true);
    for (const text of ['', '.x', '-x', 'a b', '{1}', '쿠폰', 'a:b', 'x'.repeat(65), '42\n'])
      expect(
        codeOf(() => parseCouponId(text)),
        text,
      ).toBe('usage BAD_COUPON_ID');
  });

  it('of users are visible ASCII without braces', () => {
    expect(['user-1', 'a@b.c', '~', 'u|1', '!'].every(isUserId)).toBe(true);
    for (const text of ['', 'a b', 'a{b', 'a}b', '사용자', 'a\n', 'x'.repeat(129)])
      expect(
        codeOf(() => parseUserId(text)),
        text,
      ).toBe('usage BAD_USER_ID');
  });

  it('cannot smuggle control characters into a message', () => {
    expect(printable('a\u001b[2Jb')).toBe('a\\x1b[2Jb');
    expect(printable('여름'.normalize('NFD'))).toBe('여름');
  });
});

describe('instants', () => {
  it('need a zone', () => {
    expect(parseInstant('2026-12-24T10:00:00+09:00').toISOString()).toBe('2026-12-24T01:00:00.000Z');
    expect(parseInstant('2026-12-24T10:00:00.5-0330').toISOString()).toBe('2026-12-24T13:30:00.500Z');
    expect(parseInstant('2026-12-24 10:00Z').toISOString()).toBe('2026-12-24T10:00:00.000Z');
  });

  it('are meant in a zone that is named', () => {
    const seoul = (text: string) => parseInstant(text, { zone: 'Asia/Seoul' }).toISOString();
    expect(seoul('2026-12-24')).toBe('2026-12-23T15:00:00.000Z');
    expect(seoul('2026-12-24 10:00')).toBe('2026-12-24T01:00:00.000Z');
    expect(seoul('2026-12-24T10:00:00Z')).toBe('2026-12-24T10:00:00.000Z');
    const berlin = (text: string) => parseInstant(text, { zone: 'Europe/Berlin' }).toISOString();
    expect(berlin('2026-07-01 12:00')).toBe('2026-07-01T10:00:00.000Z');
    // Twice on that morning, and the first is meant; and never on this one.
    expect(berlin('2026-10-25 02:30')).toBe('2026-10-25T00:30:00.000Z');
    expect(codeOf(() => berlin('2026-03-29 02:30'))).toBe('usage BAD_DATE');
    expect(formatInstant(new Date('2026-12-24T01:00:00Z'), 'Asia/Seoul')).toBe('2026-12-24 10:00:00 Asia/Seoul');
    expect(codeOf(() => parseTimeZone('KST+9'))).toBe('usage BAD_TIME_ZONE');
  });

  it('may be so long from now', () => {
    const now = new Date('2026-11-29T00:00:00Z');
    expect(parseInstant('in 1h30m', { now }).toISOString()).toBe('2026-11-29T01:30:00.000Z');
    expect(codeOf(() => parseInstant('in soon', { now }))).toBe('usage BAD_DURATION');
  });

  it('that do not exist are refused', () => {
    for (const text of [
      'tomorrow',
      '2026-02-30',
      '2026-13-01',
      '2026-12-24T10:00:00',
      '2026-12-24',
      '2026-12-24 10:00',
      '2026-12-24T10:60Z',
      '2026-12-24T25:00:00Z',
      '1',
      '',
      '24.12.2026',
      '2026-12-24T10:00:00+99:99',
      '2026-12-24T10:00:00+19:00',
      '1970-01-01T05:00:00Z',
      '0000-01-01T00:00:00Z',
      '1960-01-01T00:00:00Z',
      '2026-12-00',
    ]) {
      expect(
        codeOf(() => parseInstant(text)),
        text,
      ).toBe('usage BAD_DATE');
    }
  });
});

describe('numbers', () => {
  it('are plain digits within bounds', () => {
    expect(parseWhole('0', 'n', 0, 9)).toBe(0);
    for (const text of ['-1', '10', '1e3', '0x1', '1_0', ' 1', '1.0', '', 'NaN', 'Infinity', '99999999999999999999']) {
      expect(
        codeOf(() => parseWhole(text, 'n', 0, 9)),
        text,
      ).toBe('usage BAD_NUMBER');
    }
  });

  it('can be shares and rates', () => {
    expect([parseShare('0.5', 'p', 1), parseShare('2', 'p', 100)]).toEqual([0.5, 2]);
    expect([parseRate('500'), parseRate('500/s')]).toEqual([500, 500]);
    for (const text of ['-0.5', '1.5', 'half', '.5'])
      expect(
        codeOf(() => parseShare(text, 'p', 1)),
        text,
      ).toBe('usage BAD_NUMBER');
    for (const text of ['0', '500/m', '1.5/s', '99999999'])
      expect(
        codeOf(() => parseRate(text)),
        text,
      ).toBe('usage BAD_RATE');
  });
});
