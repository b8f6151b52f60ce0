import { fitted, GAP } from '../../lib/text/fit.ts';
import { widthOf } from '../../lib/text/width.ts';

/** As much of a text as fits, with an ellipsis where something is left out. Grapheme clusters stay whole. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [kept, used] = ['', 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const wide = widthOf(segment);
    if (used + wide > width - 1) break;
    kept += segment;
    used += wide;
  }
  return width <= 0 ? '' : `${kept}…`;
}

/** Exactly so many columns. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'left' ? shown + space : space + shown;
}

export interface FitColumn<Row> {
  head: string;
  value: (row: Row) => string;
  align?: 'left' | 'right';
  /** Columns with the lowest go first where there is no room for all. */
  priority: number;
  /** May be shortened to this many cells; otherwise a column is as wide as what it holds. */
  least?: number;
  /** Takes this much, and what is left over up to `most`. */
  grows?: { from: number; most: number };
}

/**
 * A table of at most this width: columns are shortened as far as they may be, then left out by priority. Values of columns that grow are
 * made for the width that they get.
 */
export function fittedTable<Row>(
  rows: readonly Row[],
  columns: readonly (Omit<FitColumn<Row>, 'value'> & { value: (row: Row, width: number) => string })[],
  width: number,
): { head: string; lines: string[] } {
  const wanted = columns.map(({ head, value, grows }) =>
    grows
      ? Math.max(grows.from, widthOf(head))
      : Math.max(widthOf(head), ...rows.map((row) => widthOf(value(row, Number.POSITIVE_INFINITY)))),
  );
  const best = Math.max(...columns.map(({ priority }) => priority));
  const last = columns.findIndex(({ priority }) => priority === best);
  const wishes = columns.map(({ least, priority }, i) => ({
    natural: wanted[i]!,
    least: Math.min(wanted[i]!, least ?? wanted[i]!),
    // One column stays, however narrow it is.
    rank: i === last ? 0 : best - priority + 1,
  }));
  const widths = fitted(wishes, width) ?? columns.map((_, i) => (i === last ? width : null));
  const kept = columns.map((_, i) => i).filter((i) => widths[i] !== null);
  let left = width - kept.reduce((sum, i) => sum + widths[i]! + GAP, -GAP);
  for (const i of kept) {
    const more = Math.max(0, Math.min(left, (columns[i]!.grows?.most ?? 0) - widths[i]!));
    widths[i]! += more;
    left -= more;
  }
  const line = (values: (i: number) => string): string =>
    kept
      .map((i) => cell(values(i), widths[i]!, columns[i]!.align))
      .join(' '.repeat(GAP))
      .trimEnd();
  return { head: line((i) => columns[i]!.head), lines: rows.map((row) => line((i) => columns[i]!.value(row, widths[i]!))) };
}
