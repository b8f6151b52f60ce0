/** What a reader sees before scrolling: the verdict, five figures, and what was put to the test. */
import type { BenchReport } from '../report.ts';
import { requestsOf } from '../requests.ts';
import { exercisedText, verdictLineText, verdictWords } from '../verdict-text.ts';
import { roundsText } from '../words.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { figure, number } from '../../../lib/text/figures.ts';
import { markup, Markup } from './markup.ts';

const SIGNS = { good: '✔', bad: '✘', open: '?' } as const;
const HEADLINES = {
  pass: 'Proven: no user got a coupon who should not have one, and none lost one.',
  held: 'Held: nothing was wrong.',
  inconclusive: 'Not proven.',
  fail: 'Broken: coupons went to the wrong users, or were lost.',
} as const;

export function verdict(report: BenchReport): Markup {
  const { verdict: said, thresholds: all, exitCode } = report;
  const words = verdictWords(report);
  // What a reply looked like may be long, and stands below the figures.
  const { integrity, why } = words;
  const text = why.length > 0 ? `${sentence(verdictLineText({ integrity, why }))}.` : HEADLINES[said.integrity];
  const wishes = all.length === 0 ? '' : said.thresholds === 'pass' ? ' All thresholds are met.' : ' Not all thresholds are met.';
  return markup`<p class="verdict ${words.look}">
    <span class="mark" aria-hidden="true">${SIGNS[words.look]}</span>${text}${wishes} <span class="dim">Exit code ${exitCode}.</span>
  </p>`;
}

/** The five figures that are asked for first. */
export function tiles(report: BenchReport): Markup {
  const { outcomes: counts, latency, throughput, integrity: results } = report;
  const { timeUntilDrainedMs } = throughput;
  const over = results.filter(({ check }) => check === 'issued_within_total');
  const overIssued = over.filter(({ status }) => status === 'fail').reduce((sum, { count }) => sum + count, 0);
  const overKnown = overIssued > 0 || over.every(({ status }) => status !== 'not_checked');
  const { accepted } = latency;
  const all: [term: string, figure: string, bad?: boolean][] = [
    ['requests sent', number(requestsOf(report).sent)],
    ['accepted', number(counts.accepted)],
    ['p99 of accepted', accepted ? `${figure(accepted.p99)} ms` : '–'],
    ['all issued after', timeUntilDrainedMs === null ? 'not seen' : formatDuration(timeUntilDrainedMs)],
    ['over-issued', overKnown ? number(overIssued) : 'not known', overIssued > 0],
  ];
  return markup`<dl class="tiles">
    ${all.map(([term, value, bad]) => markup`<div class="${bad ? 'bad' : ''}"><dt>${term}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** The most frequent reply that decided nothing, where that is why nothing was proven. */
export function reply(report: BenchReport): Markup {
  const { reply: said } = verdictWords(report);
  return said === undefined ? new Markup('') : markup`<p>Most frequent reply: <code>${said}</code></p>`;
}

/** How many of the checks could have failed; which ones, the list of checks says. */
export function exercised(report: BenchReport): Markup {
  return markup`<p class="exercised">${sentence(exercisedText(report))}.</p>`;
}

export function rounds({ rounds: all }: BenchReport): Markup {
  return all ? markup`<p class="dim">${sentence(roundsText(all))}.</p>` : new Markup('');
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
