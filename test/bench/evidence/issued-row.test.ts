import { describe, expect, test } from 'vitest';
import { columnName, issuedRow, microsOf, stepOf } from '../../../src/bench/evidence/issued-row.ts';

describe('times as databases and exports write them', () => {
  const noon = Date.UTC(2026, 10, 22, 12) * 1_000;

  test.each([
    ['2026-11-22T12:00:00Z', noon],
    ['2026-11-22 12:00:00', noon],
    ['2026-11-22 12:00:00.5+00', noon + 500_000],
    ['2026-11-22 21:00:00.000001+09', noon + 1],
    ['2026-11-22T07:30:00-0430', noon],
    ['2026-11-22T12:00:00.123456789+00:00', noon + 123_456],
    [String(noon / 1e6), noon],
    [String(noon / 1e3), noon],
    [String(noon + 7), noon + 7],
  ])('%s', (text, us) => expect(microsOf(text)).toBe(us));

  test.each(['yesterday', '22.11.2026 12:00', '', '-'])('"%s" says nothing', (text) => expect(microsOf(text)).toBeNaN());

  test('how coarse they are', () => {
    expect(stepOf([1_000_000, 7_000_000])).toBe(1_000_000);
    expect(stepOf([1_000_000, Number.NaN, 7_003_000])).toBe(1_000);
    expect(stepOf([1_000_000, 7_003_001])).toBe(1);
  });
});

test('a column may be written in the way of its database', () => {
  expect(['userId', 'USER_ID', ' user_id ', 'requestedAt'].map(columnName)).toEqual(['user_id', 'user_id', 'user_id', 'requested_at']);
});

test('what a list does not say is not made up', () => {
  expect(issuedRow((column) => (column === 'user_id' ? '5' : null))).toEqual({
    userId: '5',
    requestedUs: Number.NaN,
    issuedUs: Number.NaN,
    turn: Number.NaN,
    revoked: false,
  });
});
