/** What a measurement hands back: a figure, and the bound that it has to keep. */
export interface Figure {
  /** Stable, for whatever reads the JSON. */
  id: string;
  name: string;
  value: number;
  /** Left out where the figure is only shown. */
  bound?: { atMost: number } | { atLeast: number };
  /** How it came about: medians, references, processor time a unit. */
  detail: string;
}

/** How much a measurement does. */
export interface Effort {
  /** Alternating rounds, of which the median counts. */
  rounds: number;
  /** Length of one load. */
  seconds: number;
  /** Users of a campaign that counts as large. */
  large: number;
}

export const FULL: Effort = { rounds: 5, seconds: 2, large: 1_000_000 };
/** For a look: too little to judge a change by. */
export const QUICK: Effort = { rounds: 3, seconds: 1, large: 100_000 };

export function keepsBound({ value, bound }: Figure): boolean {
  if (!bound) return true;
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}

export function boundText({ bound }: Figure): string {
  if (!bound) return '';
  return 'atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The median of the ratios of each round: both sides of a ratio met the same machine. */
export function medianRatio(measured: readonly number[], reference: readonly number[]): number {
  return median(measured.map((value, round) => value / reference[round]!));
}

/** What is measured in a round, in the other order than in the round before: none always comes after the same one. */
export function alternating<T>(measured: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? measured : measured.toReversed();
}

/** The same thing so many times, one after the other. */
export async function repeated<T>(times: number, once: (round: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time += 1) results.push(await once(time));
  return results;
}
