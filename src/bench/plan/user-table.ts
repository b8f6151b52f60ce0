/**
 * Users from a table. Cells lie in one array of bytes, and users are found again by a hash over those bytes: as strings and a
 * map, a million users would take several hundred megabytes that the load needs for itself.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class UserTable {
  readonly columns: readonly string[];
  readonly #id: number;
  #bytes = new Uint8Array(1 << 16);
  #used = 0;
  /** End of each cell, row by row. */
  #ends = new Uint32Array(1 << 10);
  #length = 0;
  /** Row + 1 by hash, open addressing; at most half full. */
  #slots = new Uint32Array(1 << 11);

  /** @param idColumn the one of `columns` that names the user */
  constructor(columns: readonly string[], idColumn: string) {
    this.columns = columns;
    this.#id = columns.indexOf(idColumn);
  }

  get idColumn(): string {
    return this.columns[this.#id]!;
  }

  get length(): number {
    return this.#length;
  }

  /** False when there is such a user already, who then stays as he was. */
  add(cells: readonly string[]): boolean {
    const id = encoder.encode(cells[this.#id]);
    if (this.#find(id) >= 0) return false;
    this.#makeRoom(cells);
    for (const [index, cell] of cells.entries()) {
      this.#used += encoder.encodeInto(cell, this.#bytes.subarray(this.#used)).written;
      this.#ends[this.#length * this.columns.length + index] = this.#used;
    }
    this.#length += 1;
    this.#enter(this.#length - 1);
    return true;
  }

  id(row: number): string {
    return this.value(row, this.#id);
  }

  value(row: number, column: number): string {
    return decoder.decode(this.#cell(row, column));
  }

  /** -1: there is no such user. */
  rowOf(id: string): number {
    return this.#find(encoder.encode(id));
  }

  #cell(row: number, column: number): Uint8Array {
    const at = row * this.columns.length + column;
    return this.#bytes.subarray(at === 0 ? 0 : this.#ends[at - 1]!, this.#ends[at]);
  }

  #find(id: Uint8Array): number {
    for (let slot = this.#slot(id); this.#slots[slot] !== 0; slot = (slot + 1) % this.#slots.length) {
      const row = this.#slots[slot]! - 1;
      if (same(this.#cell(row, this.#id), id)) return row;
    }
    return -1;
  }

  #enter(row: number): void {
    let slot = this.#slot(this.#cell(row, this.#id));
    while (this.#slots[slot] !== 0) slot = (slot + 1) % this.#slots.length;
    this.#slots[slot] = row + 1;
  }

  /** FNV-1a. */
  #slot(id: Uint8Array): number {
    let hash = 0x811c9dc5;
    for (const byte of id) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash >>> 0) % this.#slots.length;
  }

  #makeRoom(cells: readonly string[]): void {
    // UTF-8 takes at most three bytes for one unit of a string.
    const bytes = this.#used + 3 * cells.reduce((sum, cell) => sum + cell.length, 0);
    if (bytes > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    if ((this.#length + 1) * this.columns.length > this.#ends.length) {
      const larger = new Uint32Array(2 * Math.max(this.#ends.length, this.columns.length));
      larger.set(this.#ends);
      this.#ends = larger;
    }
    if (2 * (this.#length + 1) <= this.#slots.length) return;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let row = 0; row < this.#length; row += 1) this.#enter(row);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
