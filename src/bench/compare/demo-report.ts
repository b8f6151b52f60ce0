import { number } from '../../lib/text/figures.ts';
import type { BenchReport } from '../report/report.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { CheckName, CheckResult } from '../checks/integrity.ts';
import { verdictLineText, verdictWords } from '../report/verdict-text.ts';
import { CHECK_WORDS, noteText, reasonText } from '../report/words.ts';
import type { Paint } from '../../lib/text/style.ts';

/** The story of a flash sale for a reader who sees one for the first time: who got in, how fast, and what proves it. */
export function demoReport(report: BenchReport, paint: Paint): string {
  const { scenario, outcomes, latency, throughput, coupons, verdict } = report;
  const total = coupons.reduce((sum, coupon) => sum + coupon.total, 0);
  const issued = coupons.reduce((sum, coupon) => sum + (coupon.issued ?? 0), 0);
  const count = (value: number): string => paint.bold(number(value));
  const other = scenario.requests - outcomes.accepted - outcomes.sold_out - outcomes.duplicate;
  const speed = latency.accepted
    ? `: half of them within ${ms(latency.accepted.p50)} ms, 99 of 100 within ${ms(latency.accepted.p99)} ms`
    : '';
  const drained =
    throughput.timeUntilDrainedMs === null
      ? 'They were not all issued in time.'
      : `All of them had their coupon ${formatDuration(throughput.timeUntilDrainedMs)} after the first request.`;
  return [
    `${count(scenario.users)} users asked for ${count(total)} coupons, ${count(scenario.requests)} requests in ${throughput.seconds.toFixed(1)} s.`,
    '',
    `  ${count(outcomes.accepted)} got in${speed}`,
    `  ${count(outcomes.sold_out)} were told "sold out"`,
    `  ${count(outcomes.duplicate)} asked again and were told "already requested"`,
    ...(other > 0 ? [`  ${count(other)} ended otherwise`] : []),
    '',
    `${drained} PostgreSQL has ${count(issued)}.`,
    '',
    `  ${promise('over-issued', report, ['issued_within_total'], paint)}`,
    `  ${promise('duplicates', report, ['one_per_user'], paint)}`,
    `  ${promise('lost', report, ['accepted_are_issued'], paint)}`,
    '',
    verdict.integrity === 'pass'
      ? 'Proven by comparing the load generator’s own record of every request with Redis and PostgreSQL, user by user:'
      : verdict.integrity === 'fail'
        ? paint.red('The comparison of every request with Redis and PostgreSQL says otherwise:')
        : paint.yellow(`${verdictLineText(verdictWords(report))}.`),
    ...report.integrity.map((result) => `  ${line(result, paint)}`),
    ...report.notes.filter((note) => note.code !== 'GENERATOR_LIMITED').map((note) => `  ${paint.dim(noteText(note))}`),
  ].join('\n');
}

/** `✔ over-issued 0`; only a check that passed may say 0. */
function promise(name: string, { integrity }: BenchReport, checks: CheckName[], paint: Paint): string {
  const results = integrity.filter((result) => checks.includes(result.check));
  const failed = results.filter((result) => result.status === 'fail').reduce((sum, result) => sum + result.count, 0);
  if (failed > 0) return `${paint.red('✘')} ${name} ${paint.bold(String(failed))}`;
  if (results.some((result) => result.status === 'not_checked')) return `${paint.yellow('?')} ${name} not known`;
  return `${paint.green('✔')} ${name} ${paint.bold('0')}`;
}

function line(result: CheckResult, paint: Paint): string {
  const sign = { pass: paint.green('✔'), fail: paint.red('✘'), not_checked: paint.yellow('?'), not_exercised: paint.yellow('○') }[
    result.status
  ];
  return `${sign} ${CHECK_WORDS[result.check]}${result.reason === null ? '' : `: ${reasonText(result)}`}`;
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
