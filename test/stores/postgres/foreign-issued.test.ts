import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { IssuedRow } from '../../../src/bench/evidence/issued-row.ts';
import { sqlIssuedList } from '../../../src/stores/postgres/foreign-issued.ts';
import { openStores, type TestStores } from '../../support/stores.ts';

let stores: TestStores;
beforeAll(async () => {
  stores = await openStores({ migrated: false });
  await stores.sql(
    'CREATE TABLE shop (coupon_id bigint, member_id bigint, asked timestamptz, asked_local timestamp, asked_ms bigint, taken_back date)',
  );
});
afterAll(() => stores[Symbol.asyncDispose]());
beforeEach(() => stores.sql('TRUNCATE shop'));

async function rowsOf(query: string): Promise<IssuedRow[]> {
  const rows: IssuedRow[] = [];
  await sqlIssuedList(stores.database, { query, timeoutMs: 5_000 }).read('7', (chunk) => rows.push(...chunk));
  return rows;
}

test('times keep their microseconds, whatever the type; numbers are seconds, milliseconds or microseconds', async () => {
  await stores.sql(`INSERT INTO shop VALUES (7, 1, '2026-11-22 10:00:00.123456+09', '2026-11-22 01:00:00.123456', 1795309200123, NULL)`);
  const us = Date.UTC(2026, 10, 22, 1) * 1_000 + 123_456;
  const [row] = await rowsOf(
    `SELECT member_id AS "userId", asked AS requested_at, asked_local AS issued_at, 3 AS turn FROM shop WHERE coupon_id = $1;`,
  );
  expect(row).toEqual({ userId: '1', requestedUs: us, issuedUs: us, turn: 3, revoked: false });
  const [numbers] = await rowsOf('SELECT member_id AS user_id, asked_ms AS requested_at, asked AS turn FROM shop WHERE coupon_id = $1');
  expect(numbers).toMatchObject({ requestedUs: 1_795_309_200_123_000, issuedUs: Number.NaN, turn: us });
});

test('only the rows of the coupon, over as many pages as it takes; revoked coupons are marked', async () => {
  await stores.sql('INSERT INTO shop SELECT 7, n, now() FROM generate_series(1, 4500) n');
  await stores.sql(`UPDATE shop SET taken_back = '2026-11-22' WHERE member_id <= 3`);
  await stores.sql('INSERT INTO shop SELECT 8, n, now() FROM generate_series(1, 10) n');
  const query = 'SELECT member_id AS user_id, taken_back AS revoked_at FROM shop WHERE coupon_id = $1 -- mine';
  const rows = await rowsOf(query);
  expect(new Set(rows.map((row) => row.userId)).size).toBe(4_500);
  expect(rows.filter((row) => row.revoked)).toHaveLength(3);
  expect(await sqlIssuedList(stores.database, { query, timeoutMs: 5_000 }).count('7')).toBe(4_500);
});

describe('a query that cannot be used is refused before the load', () => {
  test.each([
    ['it has no user_id', 'SELECT member_id FROM shop WHERE coupon_id = $1', 'member_id'],
    [
      'a column means nothing',
      'SELECT member_id AS user_id, asked AS request_at FROM shop WHERE coupon_id = $1',
      'did you mean "requested_at"',
    ],
    ['there is no such table', 'SELECT member_id AS user_id FROM shopp WHERE coupon_id = $1', 'shopp'],
    ['it is no SELECT', 'DELETE FROM shop WHERE coupon_id = $1 RETURNING member_id AS user_id', 'DELETE'],
    ['there are two statements', 'SELECT 1 AS user_id FROM shop WHERE coupon_id = $1; DROP TABLE shop', 'multiple commands'],
  ])('%s', async (_, query, why) => {
    const error: unknown = await sqlIssuedList(stores.database, { query, timeoutMs: 5_000 })
      .count('7')
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'VERIFY_QUERY', kind: 'usage' });
    expect((error as { why: string }).why).toContain(why);
  });
});

test('a function that writes is stopped by PostgreSQL: the transaction is READ ONLY', async () => {
  await stores.sql(`CREATE FUNCTION meddle() RETURNS text LANGUAGE sql AS $$ INSERT INTO shop (member_id) VALUES (666) RETURNING 'x' $$`);
  const query = 'SELECT meddle() AS user_id, $1::text AS turn';
  await expect(sqlIssuedList(stores.database, { query, timeoutMs: 5_000 }).read('7', () => undefined)).rejects.toMatchObject({
    code: 'VERIFY_QUERY',
    why: expect.stringContaining('read-only'),
  });
  expect(await stores.sql('SELECT * FROM shop')).toEqual([]);
});

test('a query that takes too long is a gap in the evidence, not a wrong one', async () => {
  const query = 'SELECT pg_sleep(30)::text AS user_id, $1::text AS turn';
  await expect(sqlIssuedList(stores.database, { query, timeoutMs: 20 }).read('7', () => undefined)).rejects.toMatchObject({
    code: 'VERIFY_QUERY_TIMEOUT',
    kind: 'unreachable',
  });
});
