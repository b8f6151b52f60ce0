import { describe, expect, test } from 'vitest';
import { columnName, issuedRow, stepOf, type IssuedColumn } from '../../../src/bench/evidence/issued-row.ts';

describe('times of a list of pieces', () => {
  const noon = Date.UTC(2026, 10, 22, 12) * 1_000;
  const rowWith = (cells: Partial<Record<IssuedColumn, string>>) =>
    issuedRow(
      (column) => ({ user_id: 'u', ...cells })[column] ?? null,
      () => 'line 2',
      'user',
    );

  test.each([
    ['2026-11-22T12:00:00Z', noon],
    ['2026-11-22 21:00:00.000001+09', noon + 1],
    [String(noon / 1e6), noon],
    [String(noon + 7), noon + 7],
    // Some services number their requests: an order is all that is asked for.
    ['17', 17_000_000],
    [String.raw`\N`, Number.NaN],
  ])('%s', (text, us) => expect(rowWith({ requested_at: text }).requestedUs).toBe(us));

  test.each([
    String.raw`\N`,
    'NULL',
    'null',
    'f',
    'false',
    '0',
    '0000-00-00 00:00:00',
    'None',
    '"null"',
    '1970-01-01 09:00:00',
    '1969-12-31 19:00:00',
    '9999-12-31 23:59:59',
    '2999-12-31',
  ])('revoked_at %j is not revoked', (text) => expect(rowWith({ revoked_at: text }).revoked).toBe(false));

  test.each(['2026-11-22', '1795348800', '[2026,11,22,12,0]'])('revoked_at %s is revoked', (text) =>
    expect(rowWith({ revoked_at: text }).revoked).toBe(true),
  );

  test.each<[IssuedColumn, string]>([
    ['revoked_at', 'true'],
    ['revoked_at', 't'],
    ['revoked_at', '1'],
    ['revoked_at', 'no longer'],
    ['requested_at', 'yesterday'],
    ['issued_at', '22.11.2026 12:00'],
    ['turn', 'second'],
  ])('%s %j is refused by row', (column, text) =>
    expect(() => rowWith({ [column]: text })).toThrow(`${column} of line 2 is "${text}", which is no time`),
  );

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
  expect(
    issuedRow(
      (column) => (column === 'user_id' ? '5' : null),
      () => 'line 2',
      'user',
    ),
  ).toEqual({
    userId: '5',
    requestedUs: Number.NaN,
    issuedUs: Number.NaN,
    turn: Number.NaN,
    revoked: false,
  });
});
