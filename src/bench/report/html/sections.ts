/** The parts of the report page that are words and tables. */
import type { BenchReport } from '../report.ts';
import { LATENCY_HEADS, outcomeRows } from '../outcomes.ts';
import { generatorLines, sampleText, throughputLines } from '../summary.ts';
import { verdictLineText, verdictWords } from '../verdict-text.ts';
import { shownChecks } from '../shown-checks.ts';
import { checkText, noteText, reasonText, roundsText } from '../words.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { figure, number } from '../../../lib/text/figures.ts';
import { painter } from '../../../lib/text/style.ts';
import { markup, Markup } from './markup.ts';

const NOTHING = new Markup('');
const PLAIN = painter(false);
const LOOKS = {
  pass: { look: 'good', sign: '✔', word: 'holds' },
  fail: { look: 'bad', sign: '✘', word: 'fails' },
  not_checked: { look: 'open', sign: '?', word: 'not checked' },
  not_exercised: { look: 'open', sign: '○', word: 'not put to the test' },
} as const;

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
  const text = words.why.length > 0 ? `${sentence(verdictLineText(words))}.` : HEADLINES[said.integrity];
  const wishes = all.length === 0 ? '' : said.thresholds === 'pass' ? ' All thresholds are met.' : ' Not all thresholds are met.';
  return markup`<p class="verdict ${words.look}">
    <span class="mark" aria-hidden="true">${SIGNS[words.look]}</span>${text}${wishes} <span class="dim">Exit code ${exitCode}.</span>
  </p>`;
}

/** The five figures that are asked for first. */
export function tiles({
  outcomes: counts,
  latency,
  throughput: { timeUntilDrainedMs },
  integrity: results,
  scenario,
}: BenchReport): Markup {
  const over = results.filter(({ check }) => check === 'issued_within_total');
  const overIssued = over.filter(({ status }) => status === 'fail').reduce((sum, { count }) => sum + count, 0);
  const overKnown = overIssued > 0 || over.every(({ status }) => status !== 'not_checked');
  const { accepted } = latency;
  const all: [term: string, figure: string, bad?: boolean][] = [
    ['asked', number(scenario.requests - counts.unsent)],
    ['accepted', number(counts.accepted)],
    ['p99 of accepted', accepted ? `${figure(accepted.p99)} ms` : '–'],
    ['all issued after', timeUntilDrainedMs === null ? 'not seen' : formatDuration(timeUntilDrainedMs)],
    ['over-issued', overKnown ? number(overIssued) : 'not known', overIssued > 0],
  ];
  return markup`<dl class="tiles">
    ${all.map(([term, value, bad]) => markup`<div class="${bad ? 'bad' : ''}"><dt>${term}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** On what and how the run was made. */
export function environment({ environment: facts }: BenchReport): Markup {
  if (!facts) return NOTHING;
  const items = Object.entries(facts).map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
  return section('How it was run', markup`<dl>${items}</dl>`);
}

export function rounds({ rounds: all }: BenchReport): Markup {
  return all ? markup`<p class="dim">${sentence(roundsText(all))}.</p>` : NOTHING;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function integrity(report: BenchReport): Markup {
  const items = shownChecks(report).map((result) => {
    const { look, sign, word } = LOOKS[result.status];
    const coupon = result.of === '' ? '' : ` (${result.of})`;
    const why = result.reason === null ? '' : `: ${reasonText(result)}`;
    const who = result.sample.length === 0 ? NOTHING : markup` <code class="dim">${sampleText(result)}</code>`;
    return markup`<li class="${look}">
      <span class="mark" role="img" aria-label="${word}">${sign}</span>${checkText(result.check, report.scenario)}${coupon}${why}${who}
    </li>`;
  });
  return section(
    'Integrity',
    markup`<ul>
      ${items}
    </ul>`,
  );
}

export function thresholds({ thresholds: results }: BenchReport): Markup {
  if (results.length === 0) return NOTHING;
  const items = results.map(({ metric, expr, actual, ok }) => {
    const { look, sign, word } = LOOKS[ok ? 'pass' : 'fail'];
    const was = actual === null ? 'nothing to measure' : figure(actual);
    return markup`<li class="${look}">
      <span class="mark" role="img" aria-label="${word}">${sign}</span><code>${metric} ${expr}</code> <span class="dim">was ${was}</span>
    </li>`;
  });
  return section(
    'Thresholds',
    markup`<ul>
      ${items}
    </ul>`,
  );
}

export function notes({ notes: all }: BenchReport): Markup {
  return all.length === 0
    ? NOTHING
    : section(
        'Notes',
        markup`<ul>
          ${all.map((note) => markup`<li>${noteText(note)}</li>`)}
        </ul>`,
      );
}

export function outcomes(report: BenchReport): Markup {
  const rows = outcomeRows(report).map(({ outcome, count, share, latency }) => {
    return markup`<tr>${[outcome, count, share, ...latency].map((cell) => markup`<td>${cell}</td>`)}</tr>`;
  });
  return section('Outcomes and their latency', tableOf(['outcome', 'count', 'share', ...LATENCY_HEADS], rows));
}

export function coupons({ coupons: all }: BenchReport): Markup {
  const cell = (value: number | null): Markup => markup`<td>${value === null ? '?' : number(value)}</td>`;
  const rows = all.map(({ couponId, total, accepted, issued, stock, waiting, claimed, dead, revoked }) => {
    return markup`<tr>
      <td>${couponId}</td>
      ${[total, accepted, issued, stock, waiting, claimed, dead, revoked].map(cell)}
    </tr>`;
  });
  const heads = ['coupon', 'total', 'accepted', 'issued', 'left', 'waiting', 'claimed', 'dead-lettered', 'revoked'];
  return section('Coupons in the end', tableOf(heads, rows));
}

export function throughput(report: BenchReport): Markup {
  const items = throughputLines(report).map((line) => {
    const [term = '', ...words] = line.split(/\s{2,}/);
    return markup`<dt>${term}</dt>
      <dd>${words.join(' ')}</dd>`;
  });
  return section('Throughput', markup`<dl>${items}</dl>`);
}

export function generator(report: BenchReport): Markup {
  return section(
    'Load generator',
    markup`<ul>
      ${generatorLines(report, PLAIN).map((line) => markup`<li>${line}</li>`)}
    </ul>`,
  );
}

function section(title: string, content: Markup): Markup {
  return markup`<section>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

function tableOf(heads: readonly string[], rows: readonly Markup[]): Markup {
  return markup`<div class="scroll">
    <table class="figures">
      <thead>
        <tr>
          ${heads.map((head) => markup`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}
