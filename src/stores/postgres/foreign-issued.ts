import { printable } from '../../lib/text/visible.ts';
import pg from 'pg';
import type { FieldDef, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { IssuedList } from '../../bench/evidence/foreign-ports.ts';
import type { IssuedBy } from '../../bench/scenario/verify.ts';
import { CouponError } from '../../lib/errors.ts';
import {
  columnName,
  columnProblem,
  ISSUED_COLUMNS,
  issuedRow,
  keyColumn,
  type IssuedColumn,
  type IssuedRow,
} from '../../bench/evidence/issued-row.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import type { Database } from './connection/database.ts';

const FETCH = 2_000;

export interface ForeignQuery {
  /** One SELECT; `$1` is the coupon id. */
  query: string;
  /** For each statement. */
  timeoutMs: number;
}

/**
 * Who has a coupon, by a query on the tables of another service. Read over a cursor in READ ONLY transactions; values come as
 * text, because a `Date` would cut microseconds off.
 */
export function sqlIssuedList(database: Database, { query, timeoutMs, by = 'user' }: ForeignQuery & { by?: IssuedBy }): IssuedList {
  const select = query.replace(/[\s;]+$/, '');
  let checked = false;
  const reading = <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => readOnly(database, timeoutMs, 'verify.sql', work);

  const open = async (client: PoolClient, couponId: string): Promise<void> => {
    // On lines of its own: the query may end in a comment.
    await client.query({ text: `DECLARE issued NO SCROLL CURSOR FOR\n${select}\n`, values: [couponId] });
  };

  return {
    count: (couponId) =>
      reading(async (client) => {
        if (!checked) {
          await open(client, couponId);
          checkColumns((await fetch(client, 0)).fields, by);
          checked = true;
        }
        const text = `SELECT count(*)::text AS count FROM (\n${select}\n) AS issued`;
        const { rows } = await client.query<{ count: string }>({ text, values: [couponId] });
        return Number(rows[0]!.count);
      }),

    read: (couponId, each) =>
      reading(async (client) => {
        await open(client, couponId);
        for (let from = 0; ; from += FETCH) {
          const { rows, fields } = await fetch(client, FETCH);
          if (rows.length === 0) return;
          each(rowsOf(rows, fields, by, from));
        }
      }),
  };
}

/**
 * What is left of a coupon, by a query for one value.
 *
 * @throws CouponError `VERIFY_QUERY` for a query that gives another number of rows or columns, or no whole number
 */
export function sqlStock(database: Database, { query, timeoutMs }: ForeignQuery): (couponId: string) => Promise<number> {
  const select = query.replace(/[\s;]+$/, '');
  return (couponId) =>
    readOnly(database, timeoutMs, 'verify.stockSql', async (client) => {
      const { rows, fields } = await client.query<Cells>({ text: `${select}\n`, values: [couponId], rowMode: 'array', types: AS_TEXT });
      const bad = (why: string): CouponError => badStockQuery(why);
      if (fields.length !== 1) throw bad(`it gives ${fields.length} columns, not one`);
      if (rows.length !== 1) throw bad(`it gives ${rows.length} rows for coupon ${couponId}, not one`);
      const value = rows[0]![0] ?? null;
      if (value === null || !/^-?\d+(\.0+)?$/.test(value))
        throw bad(`it gives ${value === null ? 'NULL' : `"${printable(value, 40)}"`} for coupon ${couponId}, which is no whole number`);
      return Number(value);
    });
}

function badStockQuery(why: string): CouponError {
  return new CouponError({
    code: 'VERIFY_QUERY',
    kind: 'usage',
    message: 'the query of verify.stockSql cannot be used',
    why,
    fix: 'Write one SELECT of one row and one column, with $1 for the coupon id, such as SELECT stock FROM products WHERE id = $1.',
  });
}

async function readOnly<T>(database: Database, timeoutMs: number, where: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(async (client) => {
      await client.query('SET TRANSACTION READ ONLY');
      await client.query(`SET LOCAL statement_timeout = ${Math.floor(timeoutMs)}`);
      await client.query(`SET LOCAL timezone = 'UTC'`);
      await client.query(`SET LOCAL datestyle = 'ISO'`);
      return work(client);
    });
  } catch (error) {
    throw explain(error, database, where);
  }
}

/** Values as PostgreSQL writes them: a `Date` would cut microseconds off. */
const AS_TEXT: QueryConfig['types'] = { getTypeParser: () => (text: string) => text };

type Cells = (string | null)[];

function fetch(client: PoolClient, count: number): Promise<QueryResult<Cells>> {
  return client.query<Cells>({ text: `FETCH ${count} FROM issued`, rowMode: 'array', types: AS_TEXT });
}

/** @param from how many rows came before these */
function rowsOf(rows: readonly Cells[], fields: readonly FieldDef[], by: IssuedBy, from: number): IssuedRow[] {
  const place = new Map(fields.map((field, index) => [columnName(field.name), index]));
  const cell = (row: Cells) => (column: IssuedColumn) => row[place.get(column) ?? -1] ?? null;
  return rows.map((row, index) => {
    const name = cell(row)(keyColumn(by));
    return issuedRow(cell(row), () => (name === null ? `row ${from + index + 1}` : `${by} ${printable(name, 40)}`), by);
  });
}

function checkColumns(fields: readonly FieldDef[], by: IssuedBy): void {
  const names = fields.map((field) => columnName(field.name));
  const stranger = names.find((name) => !ISSUED_COLUMNS.some((column) => column === name));
  if (stranger !== undefined)
    throw badQuery(`it has a column "${stranger}" that means nothing here${suggestion(stranger, ISSUED_COLUMNS)}`);
  const problem = columnProblem(names, by);
  if (problem) throw badQuery(problem);
}

function badQuery(why: string): CouponError {
  return new CouponError({
    code: 'VERIFY_QUERY',
    kind: 'usage',
    message: 'the query of verify.sql cannot be used',
    why,
    fix: `Write one SELECT with the columns ${ISSUED_COLUMNS.join(', ')} (user_id must be there, or issue_id where users.perUser and request.issueId tell coupons apart), and $1 for the coupon id.`,
  });
}

/** SQLSTATE classes: PostgreSQL manual, appendix A. */
function explain(error: unknown, database: Database, where: string): Error {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return database.explain(error);
  if (error.code === '57014') {
    return new CouponError({
      code: 'VERIFY_QUERY_TIMEOUT',
      kind: 'unreachable',
      message: `the query of ${where} took too long`,
      why: error.message,
      fix: 'Give the table an index on the coupon, or raise its timeout.',
    });
  }
  // 22 data exception, 25 transaction state (a write), 42 syntax or access rule; 42501 is a missing permission.
  return /^(22|25|42)/.test(error.code) && error.code !== '42501'
    ? (where === 'verify.sql' ? badQuery : badStockQuery)(error.message)
    : database.explain(error);
}
