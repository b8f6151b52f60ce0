import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../../src/bench/report/report.ts';
import { cli, type CliResult } from '../../../support/run-cli.ts';
import { shapedShop } from '../../../support/shaped-shop.ts';

async function run(out: string, flags: string[] = []): Promise<CliResult> {
  await using shop = await shapedShop('http-1.0', 20);
  const path = join(mkdtempSync(join(tmpdir(), 'coupon-')), 'sale.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      name: 'sale',
      coupons: [{ id: 'c1', total: 20 }],
      users: { count: 60, duplicateRate: 0.3 },
      request: { path: '/', json: { userId: '{{userId}}' } },
      outcomes: { accepted: { status: 201 }, duplicate: { status: 409 }, sold_out: { status: 410 } },
      phases: [{ vus: 5, maxDuration: '20s' }],
      settle: { timeout: '20s', quietFor: '50ms' },
      verify: { csv: shop.csv, skip: ['stock_adds_up', 'first_come_first_served'] },
    }),
  );
  return await cli(['bench', path, '--url', shop.url, '--out', out, ...flags]);
}

describe('runs over time', () => {
  const reports = mkdtempSync(join(tmpdir(), 'coupon-reports-'));

  test('a run is held against an earlier one', async () => {
    expect((await run(join(reports, 'monday'))).exitCode).toBe(0);
    const first = JSON.parse(readFileSync(join(reports, 'monday', 'report.json'), 'utf8')) as BenchReport;
    expect(first.environment).toMatchObject({
      program: expect.stringMatching(/^coupon-cli .*Node\.js/),
      machine: expect.stringContaining('GiB'),
      command: expect.stringMatching(/^coupon-cli bench .*sale\.yaml --url/),
    });
    expect(first.environment).not.toHaveProperty('redis');
    expect(readFileSync(join(reports, 'monday', 'report.html'), 'utf8')).toContain('How it was run');
    const second = await run(join(reports, 'tuesday'), ['--baseline', join(reports, 'monday'), '--fail-on', 'http_reqs: count<-50%']);
    expect(second).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/BEFORE .*sale[\s\S]*METRIC[\s\S]*✔ http_reqs: count<-50%/),
    });
    const worse = await run(join(reports, 'wednesday'), [
      '--baseline',
      join(reports, 'monday'),
      '--fail-on',
      'http_reqs: count>=0%',
      '--json',
    ]);
    expect(worse.exitCode).toBe(99);
    expect(worse.json<BenchReport>().scenario.name).toBe('sale');
    expect(worse.stderr).toContain('✘ http_reqs: count>=0%');
  });

  test('and all of them are listed, the oldest first', async () => {
    const { runs } = (await cli(['bench', 'history', reports, '--json'])).json<{
      runs: { folder: string; verdict: string; accepted: number }[];
    }>();
    expect(runs).toMatchObject([
      { folder: 'monday', verdict: 'pass', accepted: 20 },
      { folder: 'tuesday', verdict: 'pass' },
      { folder: 'wednesday', verdict: 'pass' },
    ]);
    expect((await cli(['bench', 'history', reports])).stdout).toMatch(/WHEN[\s\S]*sale[\s\S]*proven[\s\S]*monday/);
    expect((await cli(['bench', 'history', reports, '--scenario', 'other'])).stderr).toContain('no report lies below');
    expect((await cli(['bench', 'history', join(reports, 'nothing')])).exitCode).toBe(2);
  });

  test('flags that do not go together, and files that are no reports: exit 2 before the load', async () => {
    expect((await cli(['bench', 'smoke', '--url', 'http://127.0.0.1:1', '--fail-on', 'p(99)>1'])).exitCode).toBe(2);
    expect((await run(join(reports, 'thursday'), ['--baseline', join(reports, 'nothing')])).exitCode).toBe(2);
    expect((await run(join(reports, 'friday'), ['--baseline', join(reports, 'monday'), '--fail-on', 'nonsense'])).exitCode).toBe(2);
  });
});
