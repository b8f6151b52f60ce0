/** The verdict of a run in words: the same for the terminal, HTML, JUnit and Markdown. */
import type { BenchReport } from './report.ts';
import type { CheckResult } from '../checks/integrity.ts';
import type { UnexplainedReply } from './unexplained.ts';
import type { VerdictReason } from './verdict.ts';
import { checkText, lateText, reasonText } from './words.ts';
import { guess } from './guess.ts';
import { number, plural } from '../../lib/text/figures.ts';

export interface VerdictWords {
  look: 'good' | 'bad' | 'open';
  /** What is said of integrity, such as `proven` or `nothing was proven`. */
  integrity: string;
  /** Why, one sentence each. */
  why: string[];
  /** The most frequent reply that decided nothing; left out where it is not the reason. */
  reply?: string;
}

type Facts = VerdictReason['facts'];

const figureOf = (facts: Facts, name: string): string => number(Number(facts[name] ?? 0));

const REASON_WORDS: Record<VerdictReason['code'], (facts: Facts) => string> = {
  CHECKS_UNTESTED: (facts) =>
    `${plural(Number(facts['checks']), 'check')} ${facts['checks'] === 1 ? 'was' : 'were'} not put to the test, although the scenario meant to`,
  CHECKS_OPEN: (facts) => `${plural(Number(facts['checks']), 'check')} could not be made`,
  TARGET_LOST: (facts) =>
    `the service was lost during the run: ${figureOf(facts, 'sent')} of ${figureOf(facts, 'requests')} requests were sent, and only those were checked`,
  NOTHING_ACCEPTED: (facts) =>
    `nobody was accepted, although ${String(facts['couponId'])} had ${figureOf(facts, 'left')} in stock and ${figureOf(facts, 'asked')} users asked`,
  UNEXPLAINED_REPLIES: (facts) =>
    `${figureOf(facts, 'count')} of ${plural(Number(facts['sent']), 'request')} got a reply that no rule explains and no threshold allows`,
  SALE_UNFINISHED: (facts) =>
    `only ${figureOf(facts, 'accepted')} of ${figureOf(facts, 'left')} ${String(facts['couponId'])} were given out although ${figureOf(facts, 'asked')} users asked, and nobody was told "sold out"`,
  MOSTLY_UNDECIDED: (facts) => `${figureOf(facts, 'count')} of ${figureOf(facts, 'sent')} requests were never decided`,
};

export function verdictWords(report: Pick<BenchReport, 'verdict' | 'unexplained' | 'notes' | 'integrity' | 'scenario'>): VerdictWords {
  const { verdict, unexplained = [], notes } = report;
  if (verdict.integrity === 'pass') return { look: 'good', integrity: 'proven', why: [] };
  if (verdict.integrity === 'held') return { look: 'good', integrity: 'held', why: untestedWords(report.integrity, report.scenario) };
  if (verdict.integrity === 'fail') return { look: 'bad', integrity: 'BROKEN', why: [] };
  const { reasons = [] } = verdict;
  const has = (code: VerdictReason['code']): boolean => reasons.some((reason) => reason.code === code);
  // Beside exit code 3 no text may say "proven", in whatever sentence.
  if (has('TARGET_LOST') && !has('CHECKS_OPEN'))
    return { look: 'open', integrity: 'not established', why: [REASON_WORDS.TARGET_LOST(factsOf(reasons, 'TARGET_LOST'))] };
  const aboutChecks = new Set<VerdictReason['code']>(['CHECKS_OPEN', 'CHECKS_UNTESTED']);
  const sale = reasons.filter(({ code }) => !aboutChecks.has(code)).map(({ code, facts }) => REASON_WORDS[code](facts));
  if (sale.length > 0) {
    const [reply] = unexplained;
    return { look: 'open', integrity: 'nothing was proven', why: sale, ...(reply ? { reply: replyText(reply) } : {}) };
  }
  const late = notes.find(({ code, facts }) => code === 'NOT_SETTLED' && facts?.['missing'])?.facts;
  return {
    look: 'open',
    integrity: 'not proven',
    why: late
      ? [lateText(late)]
      : [...reasons.map(({ code, facts }) => REASON_WORDS[code](facts)), ...untestedWords(report.integrity, report.scenario)],
  };
}

/** Which checks the scenario does not put to the test, by what keeps them from it. */
export function untestedWords(integrity: readonly CheckResult[], scenario: Pick<BenchReport['scenario'], 'skip' | 'perUser'>): string[] {
  const checks = new Map<string, Set<string>>();
  for (const result of integrity) {
    if (result.status !== 'not_exercised' || scenario.skip.includes(result.check)) continue;
    const why = reasonText(result);
    checks.set(why, (checks.get(why) ?? new Set()).add(checkText(result.check, scenario)));
  }
  return Array.from(checks, ([why, names]) => `${why}, so "${[...names].join('", "')}" could not have failed`);
}

function factsOf(reasons: readonly VerdictReason[], code: VerdictReason['code']): Facts {
  return reasons.find((reason) => reason.code === code)?.facts ?? {};
}

/** `600 × 404 text/html "…" (unexpected)`, with the headers that matter and a guess at what is missing. */
function replyText(reply: UnexplainedReply): string {
  const { outcome, status, contentType, body, count, headers = {} } = reply;
  const type = contentType === null ? '' : ` ${contentType}`;
  const said = body === '' ? ' without a body' : ` "${body}"`;
  const shown = Object.entries(headers).filter(([, value]) => !body.includes(value));
  const telling = shown.map(([name, value]) => `, ${name}: ${value}`).join('');
  const hint = guess(reply);
  return `${number(count)} × ${status}${type}${said}${telling} (${outcome})${hint === null ? '' : `; ${hint}`}`;
}

/** One line: `nothing was proven: nobody was accepted …; most frequent: 600 × 404 …`. */
export function verdictLineText({ integrity, why, reply }: Pick<VerdictWords, 'integrity' | 'why' | 'reply'>): string {
  const all = reply === undefined ? why : [...why, `most frequent: ${reply}`];
  return all.length === 0 ? integrity : `${integrity}: ${all.join('; ')}`;
}

/** `7 of 7 checks were put to the test`, or how many were, and what became of the others. */
export function exercisedText({ integrity }: Pick<BenchReport, 'integrity'>): string {
  const count = (...statuses: CheckResult['status'][]): number => integrity.filter(({ status }) => statuses.includes(status)).length;
  const [tested, open] = [count('pass', 'fail'), count('not_checked')];
  const were = tested === 1 ? 'was' : 'were';
  const said = `${number(tested)} of ${plural(integrity.length, 'check')} ${were} put to the test`;
  return open === 0 ? said : `${said}, ${number(open)} could not be made`;
}
