/** `; did you mean "x"?` for the nearest of some names, or the empty string when none is near. */
export function suggestion(written: string, names: readonly string[]): string {
  const name = nearest(written, names);
  return name === null ? '' : `; did you mean "${name}"?`;
}

/** The nearest name, at most a third of its letters away; null if there is none. */
export function nearest(written: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.ceil(name.length / 3))) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
