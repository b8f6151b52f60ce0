/** The parts of the report page that are words and tables. */
import type { BenchReport } from '../report.ts';
import { LATENCY_HEADS, outcomeRows } from '../outcomes.ts';
import { generatorLines, sampleText, throughputLines } from '../summary.ts';
import { shownChecks } from '../shown-checks.ts';
import { disruptionLines, shownNotes } from '../disruptions.ts';
import { requestLines } from '../requests.ts';
import { checkText, noteText, reasonText } from '../words.ts';
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

/** On what and how the run was made. */
export function environment({ environment: facts }: BenchReport): Markup {
  if (!facts) return NOTHING;
  return section('How it was run', terms(Object.entries(facts)));
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

export function notes(report: BenchReport): Markup {
  return listed('Notes', shownNotes(report).map(noteText));
}

/** What the charts mark. */
export function disruptions(report: BenchReport): Markup {
  return listed('Disruptions', disruptionLines(report));
}

export function requests(report: BenchReport): Markup {
  return section('Requests', terms(requestLines(report)));
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
  return section('Throughput', terms(throughputLines(report)));
}

export function generator(report: BenchReport): Markup {
  return listed('Load generator', generatorLines(report, PLAIN));
}

function listed(title: string, lines: readonly string[]): Markup {
  if (lines.length === 0) return NOTHING;
  const items = lines.map((line) => markup`<li>${line}</li>`);
  return section(
    title,
    markup`<ul>
      ${items}
    </ul>`,
  );
}

function terms(lines: readonly (readonly [term: string, text: string])[]): Markup {
  const items = lines.map(
    ([term, text]) =>
      markup`<dt>${term}</dt>
        <dd>${text}</dd>`,
  );
  return markup`<dl>${items}</dl>`;
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
