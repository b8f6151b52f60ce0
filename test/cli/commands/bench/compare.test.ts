import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Comparison } from '../../../../src/bench/compare/compare.ts';
import { benchReport } from '../../../support/bench-report.ts';
import type { PaperRun } from '../../../support/bench-report.ts';
import { cli } from '../../../support/run-cli.ts';

/** A folder with the report of a run on paper. */
function report(options: PaperRun = {}, changes: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'coupon-'));
  writeFileSync(join(folder, 'report.json'), JSON.stringify({ ...benchReport(options), ...changes }));
  return folder;
}

describe('bench compare', () => {
  const before = report();
  const after = report({ slowness: 1.2 });

  test('shows what changed, for each outcome', async () => {
    const { stdout, stderr, exitCode } = await cli(['bench', 'compare', before, after]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/http_req_duration\{outcome:accepted\} p\(99\) +\S+ ms +\S+ ms +\+20 %/);
    expect(stdout).toMatch(/outcome_accepted count +300 +300 +±0 %/);
    expect(stdout).toMatch(/issue_rate +140\/s +140\/s/);
    expect(stdout).toMatch(/^VERDICT {2}no limit was set; 0 figures better and \d+ figures worse by 5 % or more \(exit code 0\)$/m);
    expect(stdout).not.toContain('NOT THE SAME');
  });

  test('says what else was not the same: machine, stores, target, proof', async () => {
    const { environment, verdict, scenario } = benchReport();
    const changes = {
      scenario: { ...scenario, target: 'http://shop.example' },
      environment: { ...environment, redis: 'Redis 8.0, appendfsync no' },
      verdict: { ...verdict, integrity: 'fail' },
    };
    const { stdout } = await cli(['bench', 'compare', before, report({}, changes)]);
    expect(stdout).toContain(`  target: ${scenario.target} → http://shop.example`);
    expect(stdout).toMatch(/^ {2}redis: .* → Redis 8\.0, appendfsync no$/m);
    expect(stdout).toMatch(/^VERDICT .*; integrity proven → BROKEN /m);
  });

  test('--json has the same, and the limits', async () => {
    const result = await cli(['bench', 'compare', join(before, 'report.json'), after, '--fail-on', 'p(99)>+50%', '--json']);
    const comparison = result.json<Comparison & Record<string, unknown>>();
    expect(Object.keys(comparison)).toEqual(['schemaVersion', 'before', 'after', 'different', 'figures', 'failOn', 'exitCode']);
    expect(comparison).toMatchObject({
      schemaVersion: 1,
      before: { scenario: 'paper', requests: 2_400, verdict: { integrity: 'pass' } },
      failOn: expect.arrayContaining([
        expect.objectContaining({ expr: 'p(99)>+50%', metric: 'http_req_duration{outcome:accepted}', hit: false }),
      ]),
      exitCode: 0,
    });
    expect(comparison.failOn[0]!.change).toBeCloseTo(20, 0);
  });

  test.each([
    ['each outcome', 'p(99)>+10%', 99],
    ['the whole', 'http_req_duration: p(99)>+10%', 99],
    ['one outcome', 'http_req_duration{outcome:accepted}: p(99.9)>+1', 99],
    ['an improvement', 'p(99)<-10%', 0],
    ['a count', 'outcome_accepted: count<-1', 0],
    ['something that did not happen', 'http_req_duration{outcome:unexpected}: p(50)>+10%', 99],
  ])('--fail-on %s: %s is exit %d', async (_, limit, exitCode) => {
    const result = await cli(['bench', 'compare', before, after, '--fail-on', 'max>+1000%', '--fail-on', limit]);
    const whole = limit.startsWith('p(') ? `http_req_duration{outcome:accepted}: ${limit}` : limit;
    expect(result).toMatchObject({ exitCode, stdout: expect.stringContaining(exitCode === 0 ? `✔ ${whole} (` : `✘ ${whole} (`) });
    expect(result.stdout).toContain('✔ http_req_duration{outcome:accepted}: max>+1000%');
    expect(result.stdout).toMatch(exitCode === 0 ? /^VERDICT {2}within all \d+ limits/m : /^VERDICT {2}\d+ of \d+ limits hit/m);
  });

  test('warns when the runs are of different scenarios', async () => {
    const result = await cli(['bench', 'compare', before, report({ name: 'other' })]);
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('different scenarios') });
  });
});

describe('refused with exit 2', () => {
  const good = report();

  test.each([
    ['a file that is not there', join(good, 'nowhere.json'), 'ENOENT'],
    ['a report of another version', report({}, { schemaVersion: 2 }), 'schemaVersion'],
    ['histograms that are none', report({}, { histograms: { accepted: 'aGVsbG8gd29ybGQh' } }), 'its histograms cannot be read'],
    ['another JSON', 'package.json', 'is not a report of bench'],
    ['what is no JSON', 'README.md', 'it is not JSON'],
  ])('%s', async (_, path, said) => {
    const result = await cli(['bench', 'compare', good, path], { cwd: process.cwd() });
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('[BAD_REPORT]') });
    expect(result.stderr).toContain(said);
  });

  test('a limit that cannot be read', async () => {
    const result = await cli(['bench', 'compare', good, good, '--fail-on', 'p99>+10%']);
    expect(result).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('[BAD_FAIL_ON]') });
  });
});
