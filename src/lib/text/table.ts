import { usageError } from '../errors.ts';
import { number } from './figures.ts';
import { fitted, type Wish } from './fit.ts';
import { fieldLines, rowLines, type Look } from './rows.ts';
import type { Paint } from './style.ts';
import { visible } from './visible.ts';
import { widthOf, wrapped } from './width.ts';

export interface Column<Row> {
  head: string;
  /** A number is shown as `1,234`, and between tabs as `1234`. */
  value: (row: Row) => string | number | null;
  align?: 'left' | 'right';
  /** In a narrow terminal the greatest goes first; 0, or none: it stays. */
  rank?: number;
  /** Before a column goes, its texts are cut, or put on several lines. */
  narrow?: 'cut' | 'wrap';
  /** How the text of a cell stands out. */
  look?: (row: Row) => Look | undefined;
  /** For `--columns`, where the head is no name. */
  name?: string;
}

/** What a command answers: a text, or a list and what is to be said about it. */
export type Answer = string | { list: string; remarks: readonly string[] };

/** Below this, a table that does not fit becomes a block of lines for each row. */
const CARDS_BELOW = 60;
const LEAST = { cut: 10, wrap: 16 };

/**
 * The one way in which rows are shown: a table without borders that fits the terminal, one block for each row where the terminal is too
 * narrow, or lines with tabs for other programs. Text that other programs wrote is made visible.
 *
 * @param report part of a text for people: never between tabs, and always with all of its columns
 * @throws CouponError `BAD_COLUMNS` when `--columns` names what there is not
 */
export function table<Row>(rows: readonly Row[], all: readonly Column<Row>[], paint: Paint, { report = false } = {}): string {
  const { layout } = paint;
  const columns = layout.columns === null || report ? all : chosen(all, layout.columns);
  if (layout.tabs && !report)
    return [columns.map(({ head }) => paint.bold(head)).join('\t'), ...rows.map((row) => tabbed(row, columns))].join('\n');
  const cells = rows.map((row) => columns.map(({ value }) => cellText(value(row))));
  const width = layout.wide ? null : layout.width;
  const mayGo = layout.columns === null && !report && (width ?? CARDS_BELOW) >= CARDS_BELOW;
  const widths = fitted(
    columns.map((column, x) =>
      wishOf(
        column,
        cells.map((row) => row[x]!),
        mayGo,
      ),
    ),
    width ?? Number.POSITIVE_INFINITY,
  );
  if (widths === null) return (report && sideways(rows, columns, cells, paint)) || cards(rows, columns, cells, paint);
  const lines = [columns.map(({ head }) => head), ...cells].flatMap((texts, y) =>
    rowLines(
      columns.flatMap(({ align, narrow, look }, x) => {
        const given = widths[x];
        if (given === null || given === undefined) return [];
        return [{ text: texts[x]!, width: given, align, wraps: narrow === 'wrap', look: y === 0 ? paint.bold : look?.(rows[y - 1]!) }];
      }),
    ),
  );
  const hidden = columns.filter((_, x) => widths[x] === null).map(({ head }) => head);
  const hint = `Not shown: ${hidden.join(', ')} (--wide shows all)`;
  return [...lines, ...(hidden.length === 0 || width === null ? [] : wrapped(hint, width).map(paint.dim))].join('\n');
}

/**
 * The rows as the answer of a command.
 *
 * @param empty what is said when there are none
 * @throws CouponError of {@link table}
 */
export function listOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  paint: Paint,
  { empty, remarks = [] }: { empty: string; remarks?: readonly string[] },
): Answer {
  const list = table(rows, columns, paint);
  if (rows.length > 0) return { list, remarks };
  return { list: paint.layout.tabs ? list : '', remarks: [empty] };
}

/** Two columns without a head: names, and what belongs to them. */
export function fieldTable(rows: readonly (readonly [string, string | number | null])[], { layout }: Pick<Paint, 'layout'>): string {
  if (layout.tabs) return rows.map(([name, value]) => `${visible(name)}\t${visible(String(value ?? ''))}`).join('\n');
  return fieldLines(
    rows.map(([name, value]) => ({ name: visible(name), text: cellText(value) })),
    layout.wide ? null : layout.width,
  ).join('\n');
}

/** What `--columns` calls a column. */
export function columnName({ head, name }: { head: string; name?: string }): string {
  return name ?? head.toLowerCase().replaceAll(' ', '-');
}

function chosen<Row>(columns: readonly Column<Row>[], wanted: readonly string[]): Column<Row>[] {
  return wanted.map((written) => {
    const found = columns.find((column) => columnName(column) === written.toLowerCase());
    if (found) return found;
    const names = columns.map((column) => columnName(column)).join(', ');
    throw usageError('BAD_COLUMNS', `--columns: there is no column "${visible(written)}"`, `The columns are ${names}.`);
  });
}

function cellText(value: string | number | null): string {
  return value === null ? '–' : typeof value === 'number' ? number(value) : visible(value);
}

function tabbed<Row>(row: Row, columns: readonly Column<Row>[]): string {
  return columns
    .map(({ value, look }) => {
      const text = visible(String(value(row) ?? ''));
      return look?.(row)?.(text) ?? text;
    })
    .join('\t');
}

function wishOf<Row>({ head, narrow, rank = 0 }: Column<Row>, texts: readonly string[], mayGo: boolean): Wish {
  const natural = texts.reduce((most, text) => Math.max(most, widthOf(text)), widthOf(head));
  const least = narrow === undefined ? natural : Math.min(natural, Math.max(widthOf(head), LEAST[narrow]));
  return { natural, least, rank: mayGo ? rank : 0 };
}

/** A few rows beside each other, so that they can still be compared; null: there is no room for that either. */
function sideways<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
  paint: Paint,
): string | null {
  const texts = columns.map(({ head }, x) => [head, ...cells.map((row) => row[x]!)]);
  const widths = Array.from({ length: rows.length + 1 }, (_, y) => y).map((y) => Math.max(...texts.map((line) => widthOf(line[y]!))));
  if (widths.reduce((sum, width) => sum + width + 2, -2) > (paint.layout.width ?? 0)) return null;
  return texts
    .flatMap((line, x) =>
      rowLines(
        line.map((text, y) => ({
          text,
          width: widths[y]!,
          align: y === 0 ? ('left' as const) : ('right' as const),
          wraps: false,
          look: y === 0 ? paint.bold : columns[x]!.look?.(rows[y - 1]!),
        })),
      ),
    )
    .join('\n');
}

function cards<Row>(rows: readonly Row[], columns: readonly Column<Row>[], cells: readonly (readonly string[])[], paint: Paint): string {
  return rows
    .map((row, y) => {
      const fields = columns.map(({ head, look }, x) => ({ name: head, text: cells[y]![x]!, look: look?.(row) }));
      return fieldLines(fields, paint.layout.width, paint.bold).join('\n');
    })
    .join('\n\n');
}
