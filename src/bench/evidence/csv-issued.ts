import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IssuedList } from './foreign-ports.ts';
import { CsvReader } from '../../lib/csv.ts';
import { CouponError } from '../../lib/errors.ts';
import { columnName, columnProblem, issuedRow, keyColumn, type IssuedColumn } from './issued-row.ts';
import { fillTemplate, type IssuedBy } from '../scenario/verify.ts';

const CHUNK = 2_000;

/**
 * Who has a coupon, by an export whose first row names the columns. A column `coupon_id` picks the rows of a coupon; `{couponId}`
 * in the path picks the file. The file may appear only after the load, and is read again whenever it has changed.
 */
export function csvIssuedList(path: string, by: IssuedBy = 'user'): IssuedList {
  const key = keyColumn(by);
  const counts = new Map<string, { version: string; count: number }>();
  return {
    async count(couponId) {
      const file = fillTemplate(path, couponId);
      const version = await versionOf(file);
      const known = counts.get(couponId);
      if (known?.version === version) return known.count;
      let count = 0;
      // Times are none of a count's business: what they are is said once, when they are needed.
      await readExport(
        file,
        { couponId, by },
        (cell) => cell(key),
        (rows) => (count += rows.length),
      );
      counts.set(couponId, { version, count });
      return count;
    },
    async read(couponId, each) {
      const file = fillTemplate(path, couponId);
      await versionOf(file);
      await readExport(file, { couponId, by }, (cell, where) => issuedRow(cell, where, by), each);
    },
  };
}

async function versionOf(file: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(file);
    return `${size} ${mtimeMs}`;
  } catch (error) {
    throw new CouponError({
      code: 'EXPORT_MISSING',
      kind: 'unreachable',
      message: `the export ${file} is not there`,
      why: (error as Error).message,
      fix: 'Write it while bench waits (settle.timeout says how long), or check verify.csv in the scenario.',
    });
  }
}

async function readExport<Row>(
  file: string,
  { couponId, by }: { couponId: string; by: IssuedBy },
  toRow: (cell: (column: IssuedColumn) => string | null, where: () => string) => Row,
  each: (rows: readonly Row[]) => void,
): Promise<void> {
  let places: Map<string, number> | null = null;
  let chunk: Row[] = [];
  const reader = new CsvReader((cells, line) => {
    if (places === null) {
      places = new Map(cells.map((name, index) => [columnName(name), index]));
      const problem = columnProblem([...places.keys()], by);
      if (problem) throw new Error(problem);
      return;
    }
    const known = places;
    const cell = (column: string): string | null => cells[known.get(column) ?? -1]?.trim() || null;
    if (known.has('coupon_id') && cell('coupon_id') !== couponId) return;
    chunk.push(toRow(cell, () => `line ${line}`));
    if (chunk.length < CHUNK) return;
    each(chunk);
    chunk = [];
  });
  try {
    let first = true;
    for await (const text of createReadStream(file, 'utf8') as AsyncIterable<string>) {
      // A byte order mark is no part of the first column's name.
      reader.push(first ? text.replace(/^\uFEFF/, '') : text);
      first = false;
    }
    reader.end();
  } catch (error) {
    if (error instanceof CouponError) throw error;
    // Of this kind, because an export that is just being written is whole a moment later.
    throw new CouponError({
      code: 'EXPORT_UNREADABLE',
      kind: 'unreachable',
      message: `the export ${file} cannot be read`,
      why: (error as Error).message,
      fix: `Write a CSV whose first row names the columns: ${keyColumn(by)}, and where there are such, coupon_id, requested_at, issued_at, revoked_at, turn.`,
    });
  }
  each(chunk);
}
