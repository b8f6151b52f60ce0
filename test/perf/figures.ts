/** What a measurement hands back: a figure, and the bound that it has to keep. */
export interface Figure {
  name: string;
  value: number;
  /** Largest value that passes. */
  bound: number;
  /** How it came about: medians, references. */
  detail: string;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The same thing so many times, one after the other. */
export async function repeated<T>(times: number, once: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time += 1) results.push(await once());
  return results;
}
