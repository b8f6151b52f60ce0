/** A longer line is no row of a table, but a quote that was never closed. */
const MAX_ROW_CHARACTERS = 65_536;

/**
 * Reads CSV (RFC 4180: commas, quotes doubled within quotes, either kind of line end) chunk by chunk, so that a large file
 * never lies in memory as a whole. Empty lines are skipped.
 */
export class CsvReader {
  /** Line of the text that the row at hand began on, from 1. */
  line = 1;
  readonly #row: (cells: string[], line: number) => void;
  #cells: string[] = [];
  #cell = '';
  #size = 0;
  #quoted = false;
  /** The last character was a quote within quotes: the end of them, or half of a doubled one. */
  #closing = false;
  #lines = 1;

  /** @param row called for each row with the line it began on */
  constructor(row: (cells: string[], line: number) => void) {
    this.#row = row;
  }

  /** @throws Error for a row of more than 64 KiB */
  push(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      const character = text[index]!;
      if (character === '\n') this.#lines += 1;
      if (this.#quoted && !this.#closing) {
        if (character === '"') this.#closing = true;
        else this.#add(character);
        continue;
      }
      if (character === '"') {
        // Doubled within quotes it is one quote; elsewhere it opens them.
        if (this.#closing) this.#add('"');
        this.#quoted = true;
        this.#closing = false;
        continue;
      }
      this.#quoted = false;
      this.#closing = false;
      if (character === ',') this.#endCell();
      else if (character === '\n') this.#endRow();
      else if (character !== '\r') this.#add(character);
    }
  }

  /** @throws Error when quotes are still open */
  end(): void {
    if (this.#quoted && !this.#closing) throw new Error(`the quotes of line ${this.line} are never closed`);
    this.#endRow();
  }

  #add(character: string): void {
    this.#cell += character;
    this.#size += 1;
    if (this.#size > MAX_ROW_CHARACTERS) throw new Error(`line ${this.line} has more than ${MAX_ROW_CHARACTERS} characters`);
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#cell = '';
  }

  #endRow(): void {
    this.#endCell();
    const cells = this.#cells;
    if (cells.length > 1 || cells[0] !== '') this.#row(cells, this.line);
    this.#cells = [];
    this.#size = 0;
    this.line = this.#lines;
  }
}

/** What to say of a first row that is one cell with the separators of another format in it; null: it is not that. */
export function otherSeparator(header: readonly string[]): string | null {
  const [first = ''] = header;
  if (header.length > 1) return null;
  const name = first.includes('\t')
    ? 'tabs'
    : first.includes(';') || /^sep=/i.test(first)
      ? 'semicolons'
      : first.includes('|')
        ? '"|"'
        : null;
  return name === null ? null : `this looks separated by ${name}; write commas (RFC 4180)`;
}
