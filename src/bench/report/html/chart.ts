import type { Outcome } from '../../../campaign/outcome.ts';
import { visible } from '../../../lib/text/visible.ts';
import { disruptionsOf, disruptionText } from '../disruptions.ts';
import type { BenchReport } from '../report.ts';

/** One chart as data; `page-script.ts` draws all of them with uPlot in the same way. */
export interface Chart {
  id: string;
  title: string;
  /** What there is to see, for those who do not see it. */
  summary: string;
  /** `nines`: x is −log10 of the share that is slower, so that 90 %, 99 % and 99.9 % are equally far apart. */
  x: 'seconds' | 'nines';
  y: { label: string; log: boolean };
  /** The series are parts of a whole, drawn on top of one another. */
  stacked: boolean;
  series: Series[];
  /** x first, then one list for each series, all of the same length; null is a gap. */
  data: (number | null)[][];
}

export interface Series {
  label: string;
  /** Name of a custom property of `style.ts`. */
  colour: string;
  /** Lengths of dashes and gaps; empty is a whole line. Lines differ without colour too. */
  dash: number[];
  width: number;
}

/** A moment that every chart over time marks, from a disruption until the service was back; `until` is `from` where it was not. */
export interface Mark {
  from: number;
  until: number;
  label: string;
}

export function marksOf(report: BenchReport): Mark[] {
  return disruptionsOf(report).map((event) => ({
    from: event.second,
    until: Math.round(1_000 * (event.second + (event.tookSeconds ?? 0))) / 1_000,
    label: visible(disruptionText(event)),
  }));
}

const DASHES: Record<Outcome, number[]> = {
  accepted: [],
  duplicate: [8, 4],
  sold_out: [2, 3],
  not_open: [12, 4, 2, 4],
  unknown_coupon: [4, 4],
  unavailable: [14, 4],
  unexpected: [6, 2, 2, 2, 2, 2],
  unknown: [2, 6],
  unsent: [1, 4],
  refused: [10, 3, 3, 3],
  rate_limited: [3, 3, 9, 3],
  queued: [5, 2],
  repeat: [8, 2, 2, 2],
  busy: [3, 5],
  not_yet_open: [20, 3],
  closed: [1, 2, 1, 2, 10, 2],
};

/** An outcome has the same colour and the same dashes in every chart. */
export function outcomeSeries(outcome: Outcome, label: string = outcome): Series {
  return { label, colour: `--${outcome.replaceAll('_', '-')}`, dash: DASHES[outcome], width: 2 };
}
