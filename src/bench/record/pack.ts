/**
 * JSON with typed arrays in it, as bytes that compress well. Integers are stored as the difference to the one before (numbers
 * that rise become small ones), and every array byte by byte: all lowest bytes, then all second ones (as Blosc and Parquet
 * do it), because the high bytes of neighbours are mostly the same. Everything comes back bit by bit, NaN included.
 *
 * Layout: length of the header (4 bytes, little endian), the header as JSON, then the arrays one after another.
 */

const TYPES = { Uint8Array, Uint16Array, Uint32Array, Float64Array };
type TypeName = keyof typeof TYPES;
type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

interface Header {
  /** The value, with `{"column": n}` where array n stands. */
  value: unknown;
  columns: { type: TypeName; length: number }[];
}

/** @param value plain objects, arrays, strings, finite numbers, and typed arrays; no object of it may have the one key `column` */
export function* pack(value: unknown): Generator<Uint8Array> {
  const columns: Column[] = [];
  const text = JSON.stringify(value, (_key, part: unknown) => (isColumn(part) ? { column: columns.push(part) - 1 } : part));
  const kinds = columns.map((column): Header['columns'][number] => ({ type: typeOf(column), length: column.length }));
  const header = new TextEncoder().encode(`{"value":${text},"columns":${JSON.stringify(kinds)}}`);
  yield new Uint8Array(Uint32Array.of(header.length).buffer);
  yield header;
  for (const column of columns) yield shuffled(column instanceof Float64Array ? column : differences(column));
}

/** @throws Error when these are not the bytes of a whole packed value */
export function unpack(bytes: Uint8Array): unknown {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const header = headerOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(4, end))));
  let at = end;
  const columns = header.columns.map(({ type, length }) => {
    const size = length * TYPES[type].BYTES_PER_ELEMENT;
    if (at + size > bytes.length) throw new Error('the bytes end too early');
    const column = new TYPES[type](unshuffled(bytes.subarray(at, at + size), TYPES[type].BYTES_PER_ELEMENT).buffer);
    at += size;
    if (!(column instanceof Float64Array)) sums(column);
    return column;
  });
  if (at !== bytes.length) throw new Error('there are bytes too many');
  return restored(header.value, columns);
}

/** A file from elsewhere can have any header: lengths decide how much memory is taken. */
function headerOf(read: unknown): Header {
  const { value, columns } = (read ?? {}) as Partial<Header>;
  const known = (column: unknown): boolean => {
    const { type, length } = (column ?? {}) as { type?: unknown; length?: unknown };
    return typeof type === 'string' && Object.hasOwn(TYPES, type) && Number.isSafeInteger(length) && Number(length) >= 0;
  };
  if (!Array.isArray(columns) || !columns.every(known)) throw new Error('its header does not describe its columns');
  return { value, columns };
}

function isColumn(part: unknown): part is Column {
  return Object.values(TYPES).some((type) => part instanceof type);
}

function typeOf(column: Column): TypeName {
  if (column instanceof Uint8Array) return 'Uint8Array';
  if (column instanceof Uint16Array) return 'Uint16Array';
  return column instanceof Uint32Array ? 'Uint32Array' : 'Float64Array';
}

function restored(part: unknown, columns: readonly Column[]): unknown {
  if (Array.isArray(part)) return part.map((one: unknown) => restored(one, columns));
  if (typeof part !== 'object' || part === null) return part;
  if ('column' in part && Object.keys(part).length === 1) {
    const column = columns[Number(part.column)];
    if (!column) throw new Error('its header names a column that is not there');
    return column;
  }
  return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, restored(one, columns)]));
}

/** Wraps around within the width of the array, which {@link sums} undoes. */
function differences<T extends Uint8Array | Uint16Array | Uint32Array>(column: T): T {
  const result = column.slice() as T;
  for (let index = column.length - 1; index > 0; index -= 1) result[index] = column[index]! - column[index - 1]!;
  return result;
}

function sums(column: Uint8Array | Uint16Array | Uint32Array): void {
  for (let index = 1; index < column.length; index += 1) column[index] = column[index]! + column[index - 1]!;
}

function shuffled(column: Column): Uint8Array {
  const width = column.BYTES_PER_ELEMENT;
  const from = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  const to = new Uint8Array(from.length);
  for (let byte = 0, at = 0; byte < width; byte += 1) {
    for (let index = byte; index < from.length; index += width, at += 1) to[at] = from[index]!;
  }
  return to;
}

function unshuffled(from: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(from.length);
  for (let byte = 0, at = 0; byte < width; byte += 1) {
    for (let index = byte; index < to.length; index += width, at += 1) to[index] = from[at]!;
  }
  return to;
}
