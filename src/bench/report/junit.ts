import type { BenchReport } from './report.ts';
import type { CheckResult } from '../checks/integrity.ts';
import { visible } from '../../lib/text/visible.ts';
import { sampleText } from './summary.ts';
import { verdictLineText, verdictWords } from './verdict-text.ts';
import { checkText, reasonText } from './words.ts';
import { figure } from '../../lib/text/figures.ts';

interface Case {
  group: 'integrity' | 'thresholds';
  name: string;
  result: { kind: 'passed' } | { kind: 'failure' | 'error'; type: string; message: string } | { kind: 'skipped'; message: string };
}

/**
 * JUnit XML, as CI systems read it: one case for each check of each coupon and for each threshold. A check that could not be
 * made is an error, or skipped when the scenario lets it go.
 */
export function benchJunit(report: BenchReport): string {
  const { scenario, throughput, startedAt } = report;
  const cases = [...report.integrity.map((result) => checkCase(report, result)), ...verdictCase(report), ...thresholdCases(report)];
  const count = (kind: Case['result']['kind']): number => cases.filter(({ result }) => result.kind === kind).length;
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}"`;
  const time = `time="${throughput.seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="bench" ${counts} ${time}>`,
    `  <testsuite name="${xml(scenario.name)}" ${counts} skipped="${count('skipped')}" ${time} timestamp="${startedAt.replace(/\.\d+Z$/, '')}">`,
    ...cases.map((one) => caseLine(scenario.name, one)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function checkCase({ scenario }: BenchReport, result: CheckResult): Case {
  const { check, couponId, status, reason } = result;
  const who = result.sample.length > 0 ? ` [${sampleText(result)}]` : '';
  const message = `${checkText(check, scenario)}: ${reasonText(result)}${who}`;
  const type = reason ?? '';
  const name = `${check} (${couponId})`;
  if (status === 'pass') return { group: 'integrity', name, result: { kind: 'passed' } };
  if (status === 'fail') return { group: 'integrity', name, result: { kind: 'failure', type, message } };
  // What the scenario meant to test and did not is an error of the run, see `verdictCase`.
  if (scenario.skip.includes(check) || status === 'not_exercised')
    return { group: 'integrity', name, result: { kind: 'skipped', message } };
  return { group: 'integrity', name, result: { kind: 'error', type, message } };
}

/** What is wrong with the run as a whole, and with no check of it: CI must not show seven passed cases then. */
function verdictCase(report: BenchReport): Case[] {
  const type = report.verdict.reasons?.find(({ code }) => code !== 'CHECKS_OPEN')?.code;
  if (type === undefined) return [];
  const message = verdictLineText(verdictWords(report));
  return [{ group: 'integrity', name: 'a sale took place', result: { kind: 'error', type, message } }];
}

function thresholdCases({ thresholds }: BenchReport): Case[] {
  return thresholds.map(({ metric, expr, actual, ok }) => {
    const was = actual === null ? 'there was nothing to measure' : `it was ${figure(actual)}`;
    const failure = { kind: 'failure' as const, type: 'THRESHOLD', message: `${metric} ${expr}: ${was}` };
    return { group: 'thresholds', name: `${metric} ${expr}`, result: ok ? { kind: 'passed' } : failure };
  });
}

function caseLine(scenario: string, { group, name, result }: Case): string {
  const head = `    <testcase classname="${xml(`${scenario}.${group}`)}" name="${xml(name)}"`;
  if (result.kind === 'passed') return `${head}/>`;
  const type = result.kind === 'skipped' ? '' : ` type="${xml(result.type)}"`;
  return `${head}><${result.kind}${type} message="${xml(result.message)}"/></testcase>`;
}

/** For an attribute in double quotes. XML 1.0 does not know most control characters and lone surrogates, not even escaped. */
function xml(text: string): string {
  const escaped = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, (one) => ('\t\n\r'.includes(one) ? `&#${one.charCodeAt(0)};` : '\ufffd'));
  return visible(escaped);
}
