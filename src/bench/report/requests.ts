/** What became of the requests that the phases wanted. Every figure of a report that speaks of them comes from here, so that they add up. */
import { outcomeCode, type RequestRecord } from '../checks/integrity.ts';
import { number, plural } from '../../lib/text/figures.ts';
import type { LoadResult } from '../ports.ts';
import type { BenchReport, RequestCounts } from './report.ts';

export function requestCounts({ planned, record, outcomes }: Pick<LoadResult, 'planned' | 'record' | 'outcomes'>): RequestCounts {
  const sent = record.length - outcomes.unsent;
  const dropped = droppedArrivals(record);
  const { unknown: unanswered } = outcomes;
  return { planned, sent, answered: sent - unanswered, unanswered, dropped, left: planned - sent - dropped };
}

/** The counts of a report; one from before it had them knows of no requests beyond its record. */
export function requestsOf({ requests, scenario, outcomes, notes }: BenchReport): RequestCounts {
  if (requests) return requests;
  const sent = scenario.requests - outcomes.unsent;
  const dropped = Number(notes.find(({ code }) => code === 'ARRIVALS_DROPPED')?.facts?.['dropped'] ?? 0);
  const { unknown: unanswered } = outcomes;
  return { planned: scenario.requests, sent, answered: sent - unanswered, unanswered, dropped, left: outcomes.unsent - dropped };
}

/** `24,000 requests`, or `5,012 of 24,000 requests sent`. */
export function requestsText(report: BenchReport): string {
  const { planned, sent } = requestsOf(report);
  return sent === planned ? plural(planned, 'request') : `${number(sent)} of ${plural(planned, 'request')} sent`;
}

/** One line for each part of the sum, a name and a figure. */
export function requestLines(report: BenchReport): [name: string, text: string][] {
  const { planned, sent, answered, unanswered, dropped, left } = requestsOf(report);
  const parts = (all: [count: number, words: string][]): string => {
    const some = all.filter(([count], index) => count > 0 || index === 0);
    return some.map(([count, words]) => `${number(count)} ${words}`).join(', ');
  };
  const unsent: [number, string][] = [
    [dropped, 'came due and found no connection in time (dropped)'],
    [left, `left ${endedBy(report)}`],
  ];
  const missing = unsent.filter(([count]) => count > 0).map(([count, words]) => `${number(count)} ${words}`);
  return [
    ['planned', number(planned)],
    [
      'sent',
      `${number(sent)}: ${parts([
        [answered, 'answered'],
        [unanswered, 'without an answer'],
      ])}`,
    ],
    ...(missing.length === 0 ? [] : [['not sent', `${number(planned - sent)}: ${missing.join(', ')}`] as [string, string]]),
  ];
}

function endedBy({ notes }: BenchReport): string {
  const has = (code: string): boolean => notes.some((note) => note.code === code);
  if (has('INTERRUPTED')) return 'when it was interrupted';
  if (has('TARGET_LOST')) return 'when the target was lost';
  return has('ABORTED_BY_THRESHOLD') ? 'when a threshold ended the load' : 'when the time of the phase was over';
}

/** Requests that came due and found no connection; other unsent ones never came due. */
function droppedArrivals({ length, outcome, intendedUs }: RequestRecord): number {
  const unsent = outcomeCode('unsent');
  let dropped = 0;
  for (let row = 0; row < length; row += 1) if (outcome[row] === unsent && intendedUs[row]! >= 0) dropped += 1;
  return dropped;
}
