import { CsvReader, otherSeparator } from '../../lib/csv.ts';
import { userIdProblem } from '../../campaign/ids.ts';
import { plainName } from '../evidence/issued-row.ts';
import { suggestion } from '../../lib/text/suggest.ts';
import { UserTable } from './user-table.ts';

const MAX_ROWS = 10_000_000;
const MAX_BYTES = 1_000_000_000;

export interface UserFileOptions {
  /** Column that names the user. */
  userId: string;
  /** Further columns to keep: those that the request asks for. */
  columns: readonly string[];
  /** Of those, the ones that stand in a header, where only printable ASCII may. */
  inHeaders: readonly string[];
}

/**
 * Users from a CSV text whose first row names the columns.
 *
 * @param chunks of the text, in order
 * @throws Error whose message names the line: a column that is missing, a row of another length, a user twice or not a user id,
 *   a cell that would break out of its header
 */
export function readUserTable(chunks: Iterable<string>, options: UserFileOptions): UserTable {
  const wanted = [...new Set([options.userId, ...options.columns])];
  const table = new UserTable(wanted, options.userId);
  const headerCells = options.inHeaders.map((name) => wanted.indexOf(name));
  let places: number[] | null = null;
  let width = 0;
  let bytes = 0;
  const reader = new CsvReader((cells, line) => {
    if (places === null) {
      places = wanted.map((name) => placeOf(name, cells));
      width = cells.length;
      return;
    }
    if (cells.length !== width) throw new Error(`line ${line} has ${cells.length} cells, the first has ${width}`);
    const row = places.map((place) => cells[place]!);
    const why = userIdProblem(row[0]!);
    if (why !== null) throw new Error(`line ${line}: "${row[0]}" is not a user id: it ${why}`);
    if (plainName(row[0]!) === null) throw new Error(`line ${line}: "${row[0]}" names no user`);
    const broken = headerCells.find((cell) => !/^[\t\x20-\x7e]*$/.test(row[cell]!));
    if (broken !== undefined) throw new Error(`line ${line}: ${wanted[broken]} goes into a header, and is not printable ASCII on one line`);
    if (!table.add(row)) throw new Error(`line ${line}: user "${row[0]}" is there twice`);
    if (table.length > MAX_ROWS) throw new Error(`there are more than ${MAX_ROWS} users`);
  });
  for (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} characters`);
    // A byte order mark is no part of the first column's name.
    reader.push(bytes === chunk.length ? chunk.replace(/^\uFEFF/, '') : chunk);
  }
  reader.end();
  if (table.length === 0) throw new Error('there are no users in it');
  return table;
}

function placeOf(name: string, header: readonly string[]): number {
  const place = header.indexOf(name);
  if (place >= 0) return place;
  const other = otherSeparator(header);
  if (other !== null) throw new Error(other);
  throw new Error(`it has no column "${name}"${suggestion(name, header)}`);
}
