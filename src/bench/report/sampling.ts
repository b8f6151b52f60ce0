/** What samples can say: how far apart they are, and where they leave a gap that no line may cross. */
import { figure } from '../../lib/text/figures.ts';

export interface Sampling {
  /** What most samples are apart: the interval that was kept, which under load is longer than the one that was meant. */
  everySeconds: number;
  largestGapSeconds: number;
}

/** A gap longer than so many intervals breaks the line. */
const MOST_INTERVALS = 2;
/** Times are whole milliseconds as decimal numbers of seconds. */
const HALF_A_MS = 0.000_5;

/** @param seconds of the samples, rising; null for fewer than two */
export function samplingOf(seconds: readonly number[]): Sampling | null {
  const apart = distances(seconds);
  if (apart.length === 0) return null;
  const sorted = apart.toSorted((a, b) => a - b);
  return { everySeconds: sorted[Math.floor(sorted.length / 2)]!, largestGapSeconds: sorted.at(-1)! };
}

/** `sampled every 0.2 s, largest gap 1.7 s`. */
export function samplingText(seconds: readonly number[]): string {
  const sampling = samplingOf(seconds);
  if (!sampling) return 'sampled once';
  return `sampled every ${figure(sampling.everySeconds)} s, largest gap ${figure(sampling.largestGapSeconds)} s`;
}

/**
 * Columns of a chart, x first, with a row of nulls in the middle of each gap.
 *
 * @param columns x, then one list for each series, all of the same length
 */
export function brokenAtGaps(columns: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const seconds = columns[0]!.map((second) => second!);
  const sampling = samplingOf(seconds);
  if (!sampling) return columns.map((column) => [...column]);
  const most = MOST_INTERVALS * sampling.everySeconds + HALF_A_MS;
  const broken: (number | null)[][] = columns.map(() => []);
  for (const [row, second] of seconds.entries()) {
    columns.forEach((column, index) => broken[index]!.push(column[row]!));
    const next = seconds[row + 1];
    if (next === undefined || next - second <= most) continue;
    broken.forEach((column, index) => column.push(index === 0 ? (second + next) / 2 : null));
  }
  return broken;
}

function distances(seconds: readonly number[]): number[] {
  return seconds.slice(1).map((second, index) => second - seconds[index]!);
}
