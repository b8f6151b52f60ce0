/** What a game day did to the service, and when: the same words for terminal, Markdown, page and charts. */
import { figure } from '../../lib/text/figures.ts';
import { DISRUPTIONS, type Disruption } from '../scenario/timeline.ts';
import type { BenchReport, DisruptionEvent, Note } from './report.ts';

const WHAT: Record<Disruption, string> = {
  'kill-drain': 'drain killed',
  'kill-serve': 'serve killed',
  'restart-redis': 'Redis crashed',
  'restart-postgres': 'PostgreSQL crashed',
};

/** `Redis crashed, back after 0.3 s`, for a mark in a chart. */
export function disruptionText({ action, tookSeconds, why }: DisruptionEvent): string {
  if (tookSeconds === null) return `${WHAT[action]}, not back${why === undefined ? '' : `: ${why}`}`;
  return `${WHAT[action]}, back after ${figure(tookSeconds)} s`;
}

/** `at 6 s: Redis crashed, back after 0.3 s`. */
export function disruptionLines(report: Pick<BenchReport, 'disruptions' | 'notes'>): string[] {
  return disruptionsOf(report).map((event) => `at ${figure(event.second)} s: ${disruptionText(event)}`);
}

/** The disruptions of a report; reports from before they had a field of their own have them as notes. */
export function disruptionsOf({ disruptions, notes }: Pick<BenchReport, 'disruptions' | 'notes'>): DisruptionEvent[] {
  return disruptions ?? notes.flatMap(eventOf);
}

/** Notes without those that {@link disruptionLines} has. */
export function shownNotes({ notes }: Pick<BenchReport, 'notes'>): Note[] {
  return notes.filter((note) => !isDisruption(note));
}

function isDisruption({ code }: Note): boolean {
  return code === 'DISRUPTED' || code === 'DISRUPTION_FAILED';
}

export function disruptionNote({ action, second, tookSeconds, why }: DisruptionEvent): Note {
  return tookSeconds === null
    ? { code: 'DISRUPTION_FAILED', facts: { action, second, why: why ?? '' } }
    : { code: 'DISRUPTED', facts: { action, second, took: tookSeconds } };
}

function eventOf(note: Note): DisruptionEvent[] {
  const { action, second, took, why } = note.facts ?? {};
  const known = DISRUPTIONS.find((one) => one === action);
  if (!isDisruption(note) || known === undefined || typeof second !== 'number') return [];
  return [{ action: known, second, tookSeconds: typeof took === 'number' ? took : null, ...(typeof why === 'string' ? { why } : {}) }];
}
