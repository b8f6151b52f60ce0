import { printable } from './visible.ts';
import Table from 'cli-table3';
import type { Paint } from './style.ts';

export interface Column<Row> {
  head: string;
  value: (row: Row) => string | number | null;
  align?: 'left' | 'right';
}

/** The layout engine takes seconds beyond a few thousand rows; no reader wants that many in a terminal. */
const MAX_ROWS = 1_000;
const CELL_CHARS = 60;

const NO_BORDERS = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((name) => [name, '']),
);

/**
 * A table without borders, columns two spaces apart. Hangul is two cells wide, and only composed (NFC) text is measured
 * right, so every cell is normalized; control characters are made visible.
 */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], paint: Paint): string {
  const drawn = new Table({
    chars: { ...NO_BORDERS, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    head: columns.map((column) => paint.bold(column.head)),
    colAligns: columns.map((column) => column.align ?? 'left'),
  });
  for (const row of rows.slice(0, MAX_ROWS)) {
    drawn.push(columns.map((column) => printable(String(column.value(row) ?? '–'), CELL_CHARS)));
  }
  const text = drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
  return rows.length > MAX_ROWS ? `${text}\n… and ${rows.length - MAX_ROWS} more (--json shows all)` : text;
}
