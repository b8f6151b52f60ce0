import { padded, shortened, widthOf, wrapped } from './width.ts';

/** Makes a text stand out. */
export type Look = (text: string) => string;

export interface Cell {
  text: string;
  width: number;
  align: 'left' | 'right' | undefined;
  /** Whether a longer text goes on in the next line; otherwise it is cut. */
  wraps: boolean;
  look: Look | undefined;
}

export interface Field {
  name: string;
  text: string;
  look?: Look | undefined;
}

const GAP = '  ';
/** However narrow the terminal is. */
const LEAST = 10;

/** One row of a table, on as many lines as its longest cell takes. */
export function rowLines(cells: readonly Cell[]): string[] {
  const parts = cells.map(({ text, width, wraps }) => (wraps ? wrapped(text, width) : [shortened(text, width)]));
  const height = Math.max(1, ...parts.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    cells
      .map(({ width, align, look }, x) => painted(parts[x]![y] ?? '', look, (text) => padded(text, width, align)))
      .join(GAP)
      .trimEnd(),
  );
}

/**
 * Names in one column, and what belongs to them in another.
 *
 * @param width null: as wide as it gets
 */
export function fieldLines(fields: readonly Field[], width: number | null, nameLook?: Look): string[] {
  const names = Math.max(0, ...fields.map(({ name }) => widthOf(name)));
  const room = width === null ? Number.POSITIVE_INFINITY : Math.max(LEAST, width - names - GAP.length);
  return fields.flatMap(({ name, text, look }) =>
    wrapped(text, room).map((line, i) =>
      `${painted(i === 0 ? name : '', nameLook, (one) => padded(one, names))}${GAP}${painted(line, look, (one) => one)}`.trimEnd(),
    ),
  );
}

/** Spaces around a text are not painted. */
function painted(text: string, look: Look | undefined, pad: (text: string) => string): string {
  if (text === '' || !look) return pad(text);
  const [before = '', after = ''] = pad(text).split(text);
  return before + look(text) + after;
}
