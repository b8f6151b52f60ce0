/** What a column of a table would like. */
export interface Wish {
  /** Width of its longest text. */
  natural: number;
  /** With less it is not worth showing. */
  least: number;
  /** The greatest is left out first; 0: never. */
  rank: number;
}

/** Spaces between columns. */
export const GAP = 2;

/**
 * Widths of the columns within a width; null for those that are left out. Texts are shortened first, then columns go, and what room they
 * leave is given back to the texts, the shortest first. Null: not even those that must stay fit.
 */
export function fitted(wishes: readonly Wish[], width: number): (number | null)[] | null {
  const kept = new Set(wishes.keys());
  const needed = (): number => [...kept].reduce((sum, i) => sum + wishes[i]!.least + GAP, -GAP);
  while (needed() > width) {
    const last = [...kept].toSorted((a, b) => wishes[b]!.rank - wishes[a]!.rank || b - a)[0];
    if (last === undefined || wishes[last]!.rank === 0) return null;
    kept.delete(last);
  }
  let room = width - needed();
  const widths: (number | null)[] = wishes.map(({ least }, i) => (kept.has(i) ? least : null));
  const missing = (i: number): number => wishes[i]!.natural - wishes[i]!.least;
  const eager = [...kept].filter((i) => missing(i) > 0).toSorted((a, b) => missing(a) - missing(b));
  for (const [turn, i] of eager.entries()) {
    const given = Math.min(missing(i), Math.floor(room / (eager.length - turn)));
    widths[i] = wishes[i]!.least + given;
    room -= given;
  }
  return widths;
}
